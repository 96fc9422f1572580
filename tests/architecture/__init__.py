"""The shape of the code base, the time it takes to start, and the files that are derived from it."""
