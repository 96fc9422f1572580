"""Where the home is, and the names of the services that a user put there. Loads nothing: completion asks it too."""

from __future__ import annotations

from pathlib import Path

from arcctl.core.names import FOLDER
from arcctl.errors import HomeError

FOLDERS = ("config", "compose")
"""What makes a folder a home."""


def find(start: Path, named: str = "") -> Path:
    """The home that is named, else the nearest one above `start`.

    Raises HomeError where there is none.
    """
    candidates = [Path(named).expanduser().resolve()] if named else [start, *start.parents]
    for folder in candidates:
        if all((folder / name).is_dir() for name in FOLDERS):
            return folder
    where = f"at {candidates[0]}" if named else f"in {start} or above it"
    raise HomeError(f"no arcctl home {where}", hint="arcctl init")


def own_names(home: Path) -> tuple[str, ...]:
    """The user's own services, read from file names."""
    return tuple(sorted(path.stem for path in (home / FOLDER).glob("*.yaml")))
