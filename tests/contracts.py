"""Whatever a command prints as JSON is held against the schema that is shipped for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import validate

HANDING_ON = ("compose", "logs", "run", "shell")
"""Commands that print what other programs print."""


@cache
def shipped(kind: str) -> Any:
    """The schema of a kind of document, None where none is shipped: `arcctl.health/v1`."""
    name, _, version = kind.removeprefix("arcctl.").partition("/")
    path = files("arcctl").joinpath("schemas", f"{name}.{version}.json")
    return json.loads(path.read_text()) if path.is_file() else None


def hold(words: Sequence[str], out: str) -> None:
    """Raises where the output of a command is not one document that says what it is, or not as the schema for that."""
    if "--json" in words and words[0] not in HANDING_ON and out:
        document = json.loads(out)
        schema = shipped(document["schema"])
        if schema:
            validate(document, schema)
