"""Brings services up and down."""
