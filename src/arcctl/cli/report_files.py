"""Files that a user named, for reports."""

from __future__ import annotations

from pathlib import Path

from arcctl.settings.files import readable, write_whole


def write(path: Path, text: str) -> None:
    with readable(path):
        write_whole(path.resolve(), text)


def append(path: Path, text: str) -> None:
    with readable(path), path.open("a", encoding="utf-8") as stream:
        stream.write(text)
