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

from arcctl.errors import BackupError
from arcctl.settings.directory import PRIVATE_FILE

CHUNK = 1 << 16
_GZIP = 31
"""zlib's number for a gzip header and trailer."""
_FAST = 1


@contextlib.contextmanager
def encrypted(path: Path, recipient: Any) -> Iterator[BinaryIO]:
    """A stream to write into; the file is complete when this ends."""
    import pyrage

    def encrypt(source: BinaryIO) -> None:
        with source, open(path, "xb", opener=_private) as file:
            pyrage.encrypt_io(_Compressed(source), file, [recipient])
            file.flush()
            os.fsync(file.fileno())

    out, into = _pipe()
    with ThreadPoolExecutor(1) as pool, _failing_with(f"cannot write {path}", pool.submit(encrypt, out)), into:
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
    with ThreadPoolExecutor(1) as pool, _failing_with(f"cannot read {path}", pool.submit(decrypt, into)), out:
        yield out
        while out.read(CHUNK):  # what was not asked for is checked too
            pass


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    out, into = os.pipe()
    return os.fdopen(out, "rb"), os.fdopen(into, "wb")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


@contextlib.contextmanager
def _failing_with(what: str, work: Future[None]) -> Iterator[None]:
    """Raise BackupError with the reason of the thread: a broken pipe at this end is its consequence."""
    failed: OSError | None = None
    try:
        yield
    except OSError as error:
        failed = error
    reason = work.exception()
    if reason:
        text = getattr(reason, "strerror", None) or str(reason)
        raise BackupError(f"{what}: {text.lower()}", hint="arcctl backup list") from None
    if failed:
        raise failed


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
