"""One function per command: parse, call, show."""
