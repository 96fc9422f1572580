"""Asks image registries."""
