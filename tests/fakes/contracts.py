"""Checks the JSON output of a command against its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

PASSING_THROUGH = ("compose", "logs", "run", "shell")
"""Commands that print the output of other programs."""


@cache
def shipped(kind: str) -> Any:
    """The schema with this name, like `arcctl.health/v1`; None if there is none."""
    name, _, version = kind.removeprefix("arcctl.").partition("/")
    path = files("arcctl").joinpath("schemas", f"{name}.{version}.json")
    return json.loads(path.read_text()) if path.is_file() else None


def check_document(words: Sequence[str], out: str) -> None:
    """Raise if JSON output is not one document with the name of its schema, or does not match that schema."""
    if "--json" in words and words[0] not in PASSING_THROUGH and out:
        document = json.loads(out)
        if validator := _validator(document["schema"]):
            validator.validate(document)


@cache
def _validator(kind: str) -> Validator | None:
    """Made once: checking a schema takes longer than checking a document."""
    schema = shipped(kind)
    if not schema:
        return None
    made = validator_for(schema)
    made.check_schema(schema)
    return made(schema)
