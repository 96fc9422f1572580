"""Adapters: programs in the foreground, and sessions of the interactive clients."""
