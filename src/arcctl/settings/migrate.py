"""Moves the files of a project that an earlier arcctl wrote to the names that they have today.

Nothing is lost: a file is renamed in one step, and one that has been written under its new name since then stays.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from arcctl.errors import ProjectError
from arcctl.settings.text import read_text

MOVED = {
    ".arcctl/changed.json": ".arcctl/secret-changes.json",
    ".arcctl/inputs.json": ".arcctl/input-hashes.json",
    ".arcctl/set-up.json": ".arcctl/bootstrapped.json",
    ".arcctl/data-made-by.json": ".arcctl/data-versions.json",
    "compose/own.yaml": "compose/custom.yaml",
    "compose/own-prod.yaml": "compose/custom-prod.yaml",
    "config/prometheus/own.yml": "config/prometheus/custom.yml",
}
"""Old name to new name, both as seen from the project directory."""
_SCRAPE_FILE = re.compile(r"^([ \t]*- *)own\.yml[ \t]*$", re.MULTILINE)


def migrate(root: Path, write: Callable[[Path, str, int], None]) -> None:
    """Rename what still has an old name; `write` writes a text with a mode. Raises OSError."""
    for old, new in MOVED.items():
        _move(root / old, root / new)
    _name_custom_scrapes(root / "config/prometheus/prometheus.yml", write)


def _move(old: Path, new: Path) -> None:
    with contextlib.suppress(
        FileNotFoundError, NotADirectoryError
    ):  # it has no old file, or another command has just moved it
        before = old.stat().st_mtime_ns
        if not new.exists() or new.stat().st_mtime_ns < before:
            old.replace(new)


def _name_custom_scrapes(path: Path, write: Callable[[Path, str, int], None]) -> None:
    """A project's copy of Prometheus' settings lists the file with the targets of custom services by its name."""
    try:
        text = read_text(path, "")
    except ProjectError:  # said by the commands that need it
        return
    named = _SCRAPE_FILE.sub(r"\1custom.yml", text)
    if named != text:
        write(path, named, path.stat().st_mode & 0o777)
