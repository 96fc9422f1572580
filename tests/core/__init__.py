"""The core decides: each decision compared whole, over declarations small enough to read at once."""
