"""Adapters: one per server that stores data, and standard input."""
