"""The adapters, against real sockets, files and programs."""
