"""Compose documents as YAML text."""

from __future__ import annotations

from typing import Any

from arcctl.core.compose import Document, Tagged


def dump(document: Document) -> str:
    """YAML in the order of the document, with merge tags and block text."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def tagged(dumper: Dumper, value: Tagged) -> yaml.Node:
        node = dumper.represent_data(value.value)
        node.tag = f"!{value.tag}"
        return node

    def text(dumper: Dumper, value: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(Tagged, tagged)
    Dumper.add_representer(str, text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=120)
