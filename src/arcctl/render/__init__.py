"""Texts made from the model: Compose files, examples, dashboards."""
