"""A folder of files that only their owner can read, for secrets that leave the project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from arcctl.errors import UsageError
from arcctl.settings import files


def fill(folder: Path, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Write all of them and return their names.

    Raises UsageError rather than replacing one.
    """
    with files.readable(folder):
        folder.mkdir(mode=files.PRIVATE_FOLDER, parents=True, exist_ok=True)
        there = sorted(name for name in texts if (folder / name).exists())
        if there:
            raise UsageError(f"{folder / there[0]} already exists", hint="name another folder, or move it away")
        files.write_all({folder / name: text for name, text in texts.items()}, files.PRIVATE_FILE)
    return tuple(texts)
