"""Reports as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from arcctl.terminal import document


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    path: Path
    colours: frozenset[str] = frozenset({"b", "a"})


@dataclass(frozen=True)
class Report:
    colour: Colour
    parts: tuple[Part, ...]
    by_colour: dict[Colour, int] = field(default_factory=lambda: {Colour.RED: 1})
    nothing: None = None


def test_a_report_is_its_fields_after_its_schema() -> None:
    made = document.text("arcctl.test/v1", Report(Colour.RED, (Part(Path("a/b")),)), total=2)
    assert json.loads(made) == {
        "schema": "arcctl.test/v1",
        "colour": "red",
        "parts": [{"path": "a/b", "colours": ["a", "b"]}],
        "by_colour": {"red": 1},
        "nothing": None,
        "total": 2,
    }
    assert next(iter(json.loads(made))) == "schema"
