"""Files that are written whole or not at all, also on a full disk; errors name the file that a user knows."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from arcctl.settings.text import unreadable

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
SHARED, SHARED_FOLDER = 0o644, 0o755
"""For what containers mount: their servers run as other users. A strict `umask` would keep these out."""
UNDECODED = "surrogateescape"
"""Bytes of a path or an argument that are not of the system's encoding are written as they are."""


def json_text(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"


@contextmanager
def readable(root: Path) -> Iterator[None]:
    """Turn an error of the system into one that names the file."""
    try:
        yield
    except OSError as error:
        raise unreadable(error, root) from None


def shared_folder(path: Path) -> None:
    """A folder of arcctl that everybody may enter; one that a strict `umask` closed is opened again."""
    create_shared_folder(path)
    found = path.stat()
    if found.st_uid == os.geteuid() and SHARED_FOLDER & ~found.st_mode:
        path.chmod(stat.S_IMODE(found.st_mode) | SHARED_FOLDER)


def create_shared_folder(path: Path) -> None:
    """Create a folder, and those above it that are missing. One that exists may be private on purpose."""
    if not path.is_dir():
        create_shared_folder(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(SHARED_FOLDER)


def write_whole(path: Path, text: str, mode: int = SHARED) -> None:
    """Write atomically, and not at all where the file has this text and mode already."""
    write_all({path: text}, mode)


def write_all(texts: Mapping[Path, str], mode: int = SHARED) -> None:
    """The same for several files: a full disk leaves all of them as they were. Their folders exist."""
    changed = {path: text for path, text in texts.items() if not _has(path, text, mode)}
    staged: list[tuple[Path, Path]] = []
    try:
        for path, text in changed.items():
            with _named(path):
                handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
                staged.append((Path(name), path))
                _fill(handle, text, mode)
        for new, path in staged:
            new.replace(path)
    except BaseException:
        for new, _ in staged:
            new.unlink(missing_ok=True)
        raise


def _has(path: Path, text: str, mode: int) -> bool:
    return (
        path.is_file()
        and stat.S_IMODE(path.stat().st_mode) == mode
        and path.read_bytes() == text.encode(errors=UNDECODED)
    )


def _fill(handle: int, text: str, mode: int) -> None:
    with os.fdopen(handle, "w", encoding="utf-8", errors=UNDECODED) as file:
        os.fchmod(handle, mode)
        file.write(text)
        file.flush()
        os.fsync(handle)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """An error names the file that a user knows, and not the temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def remove(root: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root or not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()
