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
    # A project's copy of Prometheus' settings lists the file with the targets of custom services by its name.
    _rewrite(root / "config/prometheus/prometheus.yml", lambda text: _SCRAPE_FILE.sub(r"\1custom.yml", text), write)


_NAMES = re.compile(r"^( *(?:name|container_name|traefik\.docker\.network): )arc(?=$|_)", re.MULTILINE)
_GATEWAY = re.compile(
    r"^( *constraints: Label\(`traefik\.docker\.network`, `)[a-z0-9_-]+(`\)\n *network: )[a-z0-9_-]+$", re.MULTILINE
)
_CONFIGS = "\nconfigs:\n"


def give_name(root: Path, name: str, write: Callable[[Path, str, int], None]) -> None:
    """Take the one name that an earlier arcctl knew out of the Compose files and the gateway's settings."""
    for path in sorted((root / "compose").glob("*.yaml")):
        _rewrite(path, _named_by_variable, write)
    _rewrite(root / "config/traefik/traefik.yml", lambda text: _GATEWAY.sub(rf"\g<1>{name}\g<2>{name}", text), write)


def _named_by_variable(text: str) -> str:
    before, found, configs = text.partition(_CONFIGS)
    return _NAMES.sub(r"\g<1>${ARCCTL_PROJECT_NAME:-arc}", before) + found + configs


def _rewrite(path: Path, change: Callable[[str], str], write: Callable[[Path, str, int], None]) -> None:
    with contextlib.suppress(ProjectError):  # said by the commands that need it
        text = read_text(path, "")
        if (new := change(text)) != text:
            write(path, new, path.stat().st_mode & 0o777)


def _move(old: Path, new: Path) -> None:
    with contextlib.suppress(
        FileNotFoundError, NotADirectoryError
    ):  # it has no old file, or another command has just moved it
        before = old.stat().st_mtime_ns
        if not new.exists() or new.stat().st_mtime_ns < before:
            old.replace(new)
