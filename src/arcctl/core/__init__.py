"""Decides. Pure: no I/O, no clock, no environment, no printing."""
