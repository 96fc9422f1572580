"""Where the processes of a project keep their files: for root, where an unprivileged user can reach them.

That folder is known by an id in the project, so a project that was renamed finds its data again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from arcctl.engines import machine
from arcctl.engines.embedded import accounts
from arcctl.errors import FileDamaged
from arcctl.settings.files import PRIVATE_FILE, PRIVATE_FOLDER, UNDECODED, write_whole
from arcctl.settings.location import LOCAL_DATA, LOCAL_ID, STATE
from arcctl.settings.text import DAMAGED, read_text

ROOT = Path("/var/lib/arcctl")
ID = f"{STATE}/{LOCAL_ID}"
SOCKET = "s"
"""Of the supervisor."""
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
OWNER, OLD_OWNER = "project-directory", "home"
"""The file with the project directory that the files belong to and its inode, and the name that it once had."""


def base(directory: Path) -> Path:
    """The folder of a project; the first that no other project has."""
    if accounts.unprivileged() is None:
        return _plain(directory) / STATE / LOCAL_DATA
    return next(ROOT / found for found in _ids(directory) if found and not _belongs_to_another(ROOT / found, directory))


def _plain(directory: Path) -> Path:
    """The directory, or a link to it where its path is no path for a socket, or for the files of servers."""
    if _is_plain(directory):
        return directory
    import platformdirs

    name = _hash(directory)
    links = (platformdirs.user_cache_path("arcctl") / "links" / name, Path(f"/tmp/arcctl-{os.geteuid()}") / name)
    return next((link for link in links if _is_plain(link) and _linked(link, directory)), directory)


def _is_plain(directory: Path) -> bool:
    socket = str(directory / STATE / LOCAL_DATA / SOCKET)
    return len(socket) <= machine.SOCKET_PATH and re.fullmatch(r"[\w./+-]+", socket, re.ASCII) is not None


def _linked(link: Path, directory: Path) -> bool:
    """Whether a link leads to the directory, made where it is missing; nobody else may change it."""
    with contextlib.suppress(OSError):
        link.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        folder = link.parent.lstat()
        if folder.st_uid != os.geteuid() or folder.st_mode & OTHERS_WRITE or not stat.S_ISDIR(folder.st_mode):
            return False
        if link.is_symlink() and link.readlink() != directory:
            link.unlink()
        if not link.is_symlink():
            link.symlink_to(directory)
        return True
    return False


def _ids(directory: Path) -> Iterator[str]:
    yield _id(directory)
    yield from _claimed(directory)
    yield _hash(directory)
    yield _hash(directory, _inode(directory))


def _inode(directory: Path) -> str:
    """Its number on its file system; empty where it does not exist."""
    return str(directory.stat().st_ino) if directory.exists() else ""


def _claimed(directory: Path) -> list[str]:
    """The folders that were this directory's when they were last used, the last one first: its id was lost."""
    claim = [str(directory), _inode(directory)]
    found = [path for path in ROOT.iterdir() if _claim(path) == claim] if ROOT.is_dir() else []
    return [path.name for path in sorted(found, key=lambda path: (path / OWNER).stat().st_mtime, reverse=True)]


def _id(directory: Path) -> str:
    path = directory / ID
    try:
        found = read_text(path, "").strip()
    except FileDamaged as error:
        raise _damaged(path, error.message) from None
    if found and not re.fullmatch(r"[0-9a-f]{12}", found):
        raise _damaged(path, f"{path}, line 1: not the id of a project")
    return found


def _damaged(path: Path, message: str) -> FileDamaged:
    old, new = shlex.quote(str(path)), shlex.quote(f"{path}{DAMAGED}")
    write = f"mv {old} {new}; echo NAME >{old}"
    return FileDamaged(message, hint=f"it has the name of the folder with the data of this project: ls {ROOT}; {write}")


def _hash(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode(errors=UNDECODED)).hexdigest()[:12]


def _belongs_to_another(folder: Path, directory: Path) -> bool:
    """A copy of a project has its id, too; a new project may be where another one was."""
    other, *inode = _claim(folder)
    if not other:
        return False
    if _id(directory) == folder.name:
        return other != str(directory) and _id(Path(other)) == folder.name
    return other != str(directory) or (bool(inode) and inode[0] != _inode(directory))


def claim(folder: Path, directory: Path) -> None:
    """Note in each which of the other it belongs to."""
    write_whole(folder / OWNER, f"{directory}\n{_inode(directory)}\n")
    (folder / OLD_OWNER).unlink(missing_ok=True)
    if folder.parent == ROOT:
        write_whole(directory / ID, f"{folder.name}\n", PRIVATE_FILE)


def owner(folder: Path) -> str:
    """The project directory that files belong to; empty where they name none."""
    return _claim(folder)[0]


def _claim(folder: Path) -> list[str]:
    """The project directory, and its number on its file system where arcctl noted that; an empty text for none."""
    found = next((folder / name for name in (OWNER, OLD_OWNER) if (folder / name).is_file()), None)
    lines = os.fsdecode(found.read_bytes()).splitlines() if found else []
    return lines or [""]


def gone(folder: Path) -> dict[Path, str]:
    """Folders beside this one of projects that are not where they were, with the directory of each."""
    if folder.parent != ROOT or not ROOT.is_dir():
        return {}
    owners = {path: found for path in sorted(ROOT.iterdir()) if path != folder and (found := owner(path))}
    return {path: found for path, found in owners.items() if not Path(found).is_dir()}


def candidates(directory: Path) -> dict[Path, str]:
    """Folders that may have the data of a project that was renamed before it got an id, each with its old directory.

    An older arcctl knew them by that directory alone, and noted no number of it.
    """
    folder = base(directory)
    if _id(directory) or (folder / "data").is_dir():
        return {}
    return {path: found for path, found in gone(folder).items() if len(_claim(path)) == 1}
