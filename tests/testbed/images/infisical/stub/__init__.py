"""A stub of Infisical: its settings, its bootstrap, and writing and reading a secret. It is not a vault."""
