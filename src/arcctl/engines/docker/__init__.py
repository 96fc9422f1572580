"""The Docker engine, through Compose."""
