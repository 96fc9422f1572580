"""The logs of local processes: their ends, and what comes while one looks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

PAUSE = 0.3
"""Seconds between two looks."""


def read(paths: Mapping[str, Path], *, follow: bool, tail: str) -> Iterator[str]:
    """Lines, each with the name of its process."""
    places = {}
    for key, path in paths.items():
        lines, places[key] = _read_from(path, 0)
        kept = lines[-int(tail) :] if tail and int(tail) else lines
        yield from (f"{key}  | {line}" for line in kept)
    while follow:
        time.sleep(PAUSE)
        for key, path in paths.items():
            lines, places[key] = _read_from(path, places[key])
            yield from (f"{key}  | {line}" for line in lines)


def _read_from(path: Path, place: int) -> tuple[list[str], int]:
    """The lines behind `place`, and where they end; a file that was rotated is read from its start."""
    if not path.is_file():
        return [], 0
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(place if place <= size else 0)
        text = stream.read()
        return text.decode(errors="replace").splitlines(), stream.tell()
