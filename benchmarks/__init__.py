"""Measures speed and memory, and compares them with the targets."""
