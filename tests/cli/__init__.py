"""The command line as a process: whole outputs, exit codes, and never a traceback on bad input."""
