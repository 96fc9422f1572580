"""Measures the promises of speed and memory, side by side in one run."""
