"""Outputs that programs rely on, as they were released."""
