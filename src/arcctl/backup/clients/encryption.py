"""Streams into files and out of them: compressed, then encrypted with age; `age -d | gunzip` reads them too.

The library pulls from a stream and the programs that make dumps push into one, so it runs in a thread behind a pipe.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from arcctl.engines import disks
from arcctl.errors import ArcError, BackupError
from arcctl.settings.files import PRIVATE_FILE
from arcctl.settings.text import FULL

CHUNK = 1 << 16
_GZIP = 31
"""zlib's number for a gzip header and trailer."""
_FAST = 1


@contextlib.contextmanager
def encrypted(path: Path, recipient: Any) -> Iterator[BinaryIO]:
    """A stream to write into; the file is complete when this ends."""
    import pyrage

    def encrypt(source: BinaryIO) -> None:
        try:
            with source, open(path, "xb", opener=_private) as file:
                pyrage.encrypt_io(_Compressed(source), file, [recipient])
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)  # at once: a server that was stopped for this copy needs space to start
            raise

    out, into = _pipe()
    with ThreadPoolExecutor(1) as pool, _failing_with("write", path, pool.submit(encrypt, out)), into:
        yield into


@contextlib.contextmanager
def decrypted(path: Path, identity: Any) -> Iterator[BinaryIO]:
    """The plain content of a file.

    Raises BackupError where it is damaged; at the end too, so nothing read before that is to be trusted.
    """
    import pyrage

    def decrypt(target: BinaryIO) -> None:
        with target, path.open("rb") as file:
            plain = _Plain(target)
            pyrage.decrypt_io(file, plain, [identity])
            plain.end()

    out, into = _pipe()
    with ThreadPoolExecutor(1) as pool, _failing_with("read", path, pool.submit(decrypt, into)), out:
        yield out
        while out.read(CHUNK):  # what was not asked for is checked too
            pass


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    out, into = os.pipe()
    return os.fdopen(out, "rb"), os.fdopen(into, "wb")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


@contextlib.contextmanager
def _failing_with(what: str, path: Path, work: Future[None]) -> Iterator[None]:
    """Raise BackupError with the reason of the thread: what fails at this end of the pipe fails because of it.

    Only a thread that found its pipe broken failed because of this end.
    """
    failed: OSError | ArcError | None = None
    try:
        yield
    except (OSError, ArcError) as error:
        failed = error
    reason = work.exception()
    if reason and not (failed and isinstance(reason, BrokenPipeError)):
        raise _translated(path, what, reason) from None
    if failed:
        raise failed


def _translated(path: Path, what: str, reason: BaseException) -> BackupError:
    """A full disk is named, with what is left of it."""
    text = getattr(reason, "strerror", None) or str(reason)
    if isinstance(reason, OSError) and reason.errno in FULL:
        hint = "free space (`arcctl doctor` names what arcctl can remove), or name another disk: --to FOLDER"
        return BackupError(f"cannot {what} {path}: {text.lower()}; {disks.look(path.parent)}", hint=hint)
    return BackupError(f"cannot {what} {path}: {text.lower()}", hint="arcctl backup list")


class _Compressed:
    """Reads a plain stream as gzip."""

    def __init__(self, source: BinaryIO) -> None:
        self._source, self._packer, self._ready = source, zlib.compressobj(_FAST, wbits=_GZIP), b""
        self._over = False

    def read(self, size: int = -1) -> bytes:
        while not (self._ready or self._over):
            data = self._source.read(CHUNK)
            self._over = not data
            self._ready = self._packer.compress(data) if data else self._packer.flush()
        found, self._ready = (self._ready[:size], self._ready[size:]) if size >= 0 else (self._ready, b"")
        return found


class _Plain:
    """Writes gzip as a plain stream."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._unpacker = target, zlib.decompressobj(wbits=_GZIP)

    def write(self, data: bytes) -> int:
        self._target.write(self._unpacker.decompress(data))
        return len(data)

    def flush(self) -> None:
        """The pipe is flushed once, at its end."""

    def end(self) -> None:
        if not self._unpacker.eof:
            raise ValueError("it ends too early")
