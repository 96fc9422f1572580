"""Asks services whether they serve: probes, health, smoke tests, one trace."""
