"""End to end: the real command line against a real Docker engine and the real servers."""
