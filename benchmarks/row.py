"""One line of the table: a promise and what was measured."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ARCCTL = str(Path(sys.executable).parent / "arcctl")


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    promised: str
    kept: bool
