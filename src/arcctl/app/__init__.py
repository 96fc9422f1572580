"""Joins. One use-case per verb; everything it needs is handed in."""
