"""A sample service: a little work, fully observed."""

__version__ = "0.1.0"
