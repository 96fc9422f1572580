"""Whatever a command prints as JSON is held against the schema that is shipped for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import validate


@cache
def shipped(kind: str) -> Any:
    """The schema of a kind of document, None where none is shipped: `arcctl.health/v1`."""
    name, _, version = kind.removeprefix("arcctl.").partition("/")
    path = files("arcctl").joinpath("schemas", f"{name}.{version}.json")
    return json.loads(path.read_text()) if path.is_file() else None


def hold(words: Sequence[str], out: str) -> None:
    """Raises ValidationError where the output of a command breaks its contract."""
    if "--json" in words and out.startswith("{"):
        document = json.loads(out)
        schema = shipped(str(document.get("schema", "")))
        if schema:
            validate(document, schema)
