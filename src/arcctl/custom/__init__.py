"""Your own services: declared in files, loaded with the built-in ones."""
