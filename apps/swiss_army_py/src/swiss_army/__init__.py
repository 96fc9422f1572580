"""A sample service: a little work, fully observed."""

from importlib.metadata import version

__version__ = version("swiss-army")
