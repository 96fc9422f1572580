"""A sample service with traces, metrics and logs."""

__version__ = "0.1.0"
