"""Writes an archive that only its owner can read, whole or not at all."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from arcctl.runtime.files import PRIVATE_FILE, readable


def write(path: Path, folder: str, texts: Mapping[str, str]) -> None:
    """A tar.gz with these texts below `folder`."""
    with readable(path.parent):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
                for inside, text in texts.items():
                    _add(archive, f"{folder}/{inside}", text.encode())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), PRIVATE_FILE, int(time.time())
    archive.addfile(entry, io.BytesIO(data))
