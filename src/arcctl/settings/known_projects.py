"""The projects of this user on this machine: a file for each, which its own commands keep up to date.

It tells a project what others have: their names and ports, also while they are down. What runs, the engines say.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from arcctl.errors import ArcError
from arcctl.settings.directory import PRIVATE_FILE, PRIVATE_FOLDER, json_text, write_whole
from arcctl.settings.text import read_json


@dataclass(frozen=True, kw_only=True)
class KnownProject:
    id: str
    name: str
    directory: str
    ports: Mapping[str, int] = field(default_factory=dict)
    """The ports of this machine that it uses when it is up, by the variable that chooses them."""
    engines: Mapping[str, str] = field(default_factory=dict)
    """The engines that have data of it, and which of its kind each is; the last ran it last."""
    used: float = 0.0
    """When a command last changed something of it or looked at it, in seconds since 1970."""

    @property
    def gone(self) -> bool:
        """Whether there is no such directory any more."""
        return not os.path.isdir(self.directory)


def folder() -> Path:
    import platformdirs

    return platformdirs.user_data_path("arcctl") / "projects"


def known() -> tuple[KnownProject, ...]:
    """All of them, by name. A damaged file counts as none: the next command in that project writes it again."""
    found = [entry for path in folder().glob("*.json") if (entry := _read(path))]
    return tuple(sorted(found, key=lambda entry: entry.name))


def _read(path: Path) -> KnownProject | None:
    with suppress(ArcError, OSError, TypeError):  # of an arcctl that writes other fields
        document = read_json(path, dict[str, Any], {})
        return KnownProject(**{**document, "id": path.stem, "used": path.stat().st_mtime})
    return None


def remember(entry: KnownProject) -> None:
    """Write what is known of a project; a folder that cannot be written is nobody's concern but `init`'s."""
    _create_folder()
    document = {name: value for name, value in asdict(entry).items() if name not in ("id", "used")}
    write_whole(_file(entry.id), json_text(document), PRIVATE_FILE)
    touch(entry.id)


def touch(id: str) -> None:
    """Note that a project is used now."""
    with suppress(OSError):
        os.utime(_file(id))


def forget(id: str) -> None:
    _file(id).unlink(missing_ok=True)


def _file(id: str) -> Path:
    return folder() / f"{id}.json"


def _create_folder() -> None:
    folder().mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


@contextmanager
def choosing() -> Iterator[None]:
    """While names and ports are chosen: two commands of this user never choose the same."""
    _create_folder()
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
