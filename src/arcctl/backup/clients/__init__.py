"""Copies data out of servers and files, and back."""
