"""What a person sees: with the view modules the only importer of Rich."""
