"""What arcctl asks of an engine: the oldest versions, and room on the disk."""

from __future__ import annotations

import re
from collections.abc import Mapping

OLDEST = {"Docker": (25, 0), "Compose": (2, 24)}
"""The oldest versions that know all that the files use: `start_interval`, `configs.content`, `!reset`."""
MEGABYTE, GIGABYTE = 1 << 20, 1 << 30
SPARE_DISK = 2 * GIGABYTE
"""Bytes that must be free where the engine keeps its data."""


def too_old(versions: Mapping[str, str]) -> tuple[str, str] | None:
    """The first program that lacks what the files use, and what to install; None where all are recent."""
    for what, least in OLDEST.items():
        wanted = ".".join(map(str, least))
        found = versions.get(what, wanted)
        if tuple(int(n) for n in re.findall(r"\d+", found)[:2]) < least:
            return f"{what} {found} is too old", f"install {what} {wanted} or newer"
    return None
