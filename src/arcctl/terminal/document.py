"""The one way in which a report becomes JSON: its fields under their own names, after the name of its schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from arcctl.terminal.address import addressed


def plain(value: object) -> Any:
    """A report as dictionaries, lists, texts and numbers."""
    match value:
        case Enum():
            return value.value
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted(plain(item) for item in value)
        case PurePath():
            return str(value)
        case _ if is_dataclass(value):
            return {field.name: _field(field.name, getattr(value, field.name)) for field in fields(value)}
    return value


def _field(name: str, value: object) -> Any:
    return addressed(value) if name == "hint" and isinstance(value, str) else plain(value)


def text(schema: str, report: object, **more: object) -> str:
    """One document; `more` is what a report computes rather than holds."""
    return json.dumps({"schema": schema, **plain(report), **plain(more)}, indent=2)
