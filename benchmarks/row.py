"""One row of the table: a figure and its target."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ARCCTL = str(Path(sys.executable).parent / "arcctl")


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    target: str
    met: bool
