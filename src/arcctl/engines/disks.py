"""Reads how full the file systems are that hold data."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path

from arcctl.model.disk import Disk

SCRIPT = 'stat -f -c "%S %b %f %a %c %d" "$1" && if [ -w "$1" ]; then echo w; else echo r; fi && echo "$1"'
"""Prints the same numbers in a container, for `parsed`."""
NO_SPACE, READ_ONLY, NO_PERMISSION = (
    os.strerror(number).lower() for number in (errno.ENOSPC, errno.EROFS, errno.EACCES)
)
DOCTOR = "arcctl doctor"


def hint(reason: str, otherwise: str) -> str:
    """The next command after a program failed for this reason."""
    return DOCTOR if any(word in reason.lower() for word in (NO_SPACE, READ_ONLY)) else otherwise


def look(path: Path) -> Disk | None:
    """The file system at a path, or at the nearest folder above it that this user may see; None for other machines."""
    for place in (path, *path.parents) if path.is_absolute() else ():
        try:
            found = os.statvfs(place)
        except PermissionError:
            continue
        except OSError:
            return None
        return Disk(
            path=str(_mount(place)),
            size=(found.f_blocks - found.f_bfree + found.f_bavail) * found.f_frsize,
            free=found.f_bavail * found.f_frsize,
            files=found.f_files,
            files_free=found.f_favail,
            refuses=READ_ONLY if found.f_flag & os.ST_RDONLY else "",
        )
    return None


def _mount(path: Path) -> Path:
    """Where its file system is mounted, as far up as it can be seen."""
    return next((place for place in (path, *path.parents) if place.is_mount()), path)


def parsed(text: str) -> Disk | None:
    """What `SCRIPT` printed; None where the container has no such program."""
    numbers, writable, path = (*text.splitlines(), "", "", "")[:3]
    try:
        block, blocks, unused, free, files, files_free = map(int, numbers.split())
    except ValueError:
        return None
    refuses = "" if writable == "w" else "not writable"
    return Disk(
        path=path,
        size=block * (blocks - unused + free),
        free=block * free,
        files=files,
        files_free=files_free,
        refuses=refuses,
    )


def owned(disk: Disk, folder: Path, model: Path) -> Disk:
    """The disk, which refuses to be written where the folder is not that of the server, as the one of `model` is."""
    try:
        found = folder.stat()
    except OSError as error:
        return replace(disk, refuses=(error.strerror or str(error)).lower())
    if not model.exists():
        return disk
    wanted = model.stat()
    mine = wanted.st_uid in (0, found.st_uid) and (not wanted.st_uid or found.st_mode & stat.S_IWUSR)
    return disk if mine else replace(disk, path=str(folder), refuses=NO_PERMISSION)
