"""The same servers as local processes."""
