"""Container images: list, lock, pull, save, load, compare with registries, upgrade and undo."""
