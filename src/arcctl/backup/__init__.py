"""Backups: create, list, verify and restore them."""
