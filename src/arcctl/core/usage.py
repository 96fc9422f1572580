"""What containers and processes take of the machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = {
    unit: factor**power
    for factor, units in ((1000, ("B", "kB", "MB", "GB", "TB")), (1024, ("B", "KiB", "MiB", "GiB", "TiB")))
    for power, unit in enumerate(units)
}


@dataclass(frozen=True, kw_only=True)
class Usage:
    memory: int
    """Bytes."""
    cpu: float
    """Percent of one core."""
    limit: int = 0
    """Bytes of memory that it may take; 0 where nothing limits it."""


def size(text: str) -> int:
    """Bytes of a size as Docker writes it, `10.5MiB` or `48.2MB`; 0 where it says that there is none."""
    found = re.fullmatch(r"([\d.]+) ?([A-Za-z]+)", text.strip())
    return round(float(found[1]) * _UNITS[found[2]]) if found and found[2] in _UNITS else 0
