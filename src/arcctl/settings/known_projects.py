"""The projects of this user on this machine: a file for each, which its own commands keep up to date.

It tells a project what others have: their names and ports, also while they are down. What runs, the engines say.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from arcctl.errors import ArcError, ProjectError
from arcctl.settings.files import PRIVATE_FILE, PRIVATE_FOLDER, json_text, write_whole
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
    replaced: bool = False
    """Whether another project is in its directory now, which was deleted and made again."""
    used: float = 0.0
    """When a command last changed something of it or looked at it, in seconds since 1970."""

    def __str__(self) -> str:
        return f"{self.name} ({self.directory})"

    @property
    def reserves(self) -> bool:
        """Whether others leave its ports alone: one whose directory is gone may have been moved with its data."""
        return bool(self.engines) or not self.gone

    @property
    def gone(self) -> bool:
        """Whether its directory is not there any more."""
        return self.replaced or is_gone(self.directory)


def is_gone(directory: str) -> bool:
    """Whether there is no such directory; one that this user may not look for counts as there."""
    try:
        return not stat.S_ISDIR(os.stat(directory).st_mode)
    except OSError as error:
        return isinstance(error, FileNotFoundError | NotADirectoryError)


def folder() -> Path:
    import platformdirs

    return platformdirs.user_data_path("arcctl") / "projects"


def known() -> tuple[KnownProject, ...]:
    """All of them, by name. A damaged file counts as none: the next command in that project writes it again."""
    found = [entry for path in folder().glob("*.json") if (entry := _read(path))]
    return tuple(sorted(found, key=lambda entry: entry.name))


def get(id: str) -> KnownProject | None:
    """What is known of one project; None where nothing is, or its file is damaged."""
    return _read(_file(id)) if id else None


def find(name: str) -> KnownProject:
    """The project with this name. Raises ProjectError where there is none, or its directory is gone."""
    found = next((entry for entry in known() if entry.name == name), None)
    if found is None:
        raise ProjectError(f"no project has the name {name}", hint="arcctl projects")
    if found.gone:
        raise ProjectError(f"the directory of the project {name} is gone: {found.directory}", hint="arcctl projects")
    return found


def _read(path: Path) -> KnownProject | None:
    with suppress(ArcError, OSError, TypeError):  # of an arcctl that writes other fields
        document = read_json(path, dict[str, Any], {})
        return KnownProject(**{**document, "id": path.stem, "used": path.stat().st_mtime})
    return None


def remember(entry: KnownProject) -> bool:
    """Write what is known of a project; False where this user cannot write there."""
    document = {name: value for name, value in asdict(entry).items() if name not in ("id", "used")}
    try:
        _create_folder()
        write_whole(_file(entry.id), json_text(document), PRIVATE_FILE)
    except OSError:
        return False
    touch(entry.id)
    return True


def note_replaced(entry: KnownProject) -> None:
    """Note that another project is in its directory; when it was last used stays as it is."""
    if remember(replace(entry, replaced=True)):
        os.utime(_file(entry.id), (entry.used, entry.used))


def touch(id: str) -> bool:
    """Note that a project is used now; False where it is not known."""
    try:
        os.utime(_file(id))
    except OSError:
        return False
    return True


def forget(id: str) -> None:
    _file(id).unlink(missing_ok=True)


def _file(id: str) -> Path:
    return folder() / f"{id}.json"


def _create_folder() -> None:
    folder().mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


@contextmanager
def choosing() -> Iterator[None]:
    """While names and ports are chosen: two commands of this user never choose the same."""
    with ExitStack() as stack:
        with suppress(OSError):  # a user without a folder that can be written knows no other projects either
            _create_folder()
            fcntl.flock(stack.enter_context((folder() / "lock").open("w")), fcntl.LOCK_EX)
        yield
