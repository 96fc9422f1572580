"""One row of the table: a figure and its target."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ARCCTL = str(Path(sys.executable).parent / "arcctl")
COMPOSE = ("docker", "compose", "-f", "compose/base.yaml", "-f", "compose/stack.yaml")


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    target: str
    met: bool


def ratio(what: str, ours: float, theirs: float, limit: float) -> Row:
    """Of two times in seconds."""
    return Row(what, f"{ours:.2f} s / {theirs:.2f} s = {ours / theirs:.2f}", f"≤ {limit}", ours / theirs <= limit)
