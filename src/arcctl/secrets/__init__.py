"""Secrets: list them, export them, rotate them."""
