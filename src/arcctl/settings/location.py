"""Finds the project directory and its custom services. Loads nothing heavy: completion uses it too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from arcctl.errors import ProjectError, UsageError
from arcctl.model.names import IMAGES, PORTS

FOLDERS = ("config", "compose")
"""The folders that make a directory a project directory."""
STATE = ".arcctl"
"""The folder of a project that only its user can read."""
LOCAL_DATA = "embedded"
"""In it, the data of local processes; root has it elsewhere."""
LOCAL_ID = "project-id"
"""In it, the file with the name of the folder where root has it."""


def find(start: Path, named: str = "") -> Path:
    """The project directory that is named, else `start` or the nearest one above it.

    Raises ProjectError where there is none.
    """
    candidates = [Path(named).expanduser().resolve()] if named else list(_upwards(start))
    for folder in candidates:
        if all((folder / name).is_dir() for name in FOLDERS):
            return folder
    where = f"at {candidates[0]}" if named else f"in {start} or above it"
    raise ProjectError(
        f"no arcctl project {where}", hint=f"arcctl --project-directory {named} init" if named else "arcctl init"
    )


def _upwards(start: Path) -> Iterator[Path]:
    """A folder and those above it; a git worktree may be in the folder of a project and is not part of it."""
    for folder in (start, *start.parents):
        yield folder
        if _is_worktree(folder):
            return


def _is_worktree(folder: Path) -> bool:
    try:
        return "/worktrees/" in (folder / ".git").read_bytes().decode(errors="replace")
    except OSError:
        return False


def custom_names(directory: Path) -> tuple[str, ...]:
    """The names of the custom services, read from file names."""
    return tuple(sorted(path.stem for path in (directory / FOLDER).glob("*.yaml")))


FOLDER = "services"
"""Folder of the project; each file in it describes the service of that name."""
NAME = re.compile(r"[a-z]([a-z0-9]|-(?=[a-z0-9]))*")
LONGEST = 32


def custom_file(name: str) -> str:
    """The file of a custom service, seen from the project directory."""
    return f"{FOLDER}/{name}.yaml"


def refuse_name(name: str, taken: Iterable[str]) -> None:
    """Raises UsageError for a name that a service cannot have."""
    hint = "small letters, digits and single dashes, such as my-agent"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(f"{name!r} cannot be the name of a service", hint=hint)
    if name in {*taken, IMAGES, PORTS}:
        raise UsageError(f"{name!r} is already in use", hint="choose another name")
