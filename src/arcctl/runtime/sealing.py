"""Streams into files and out of them: compressed, then encrypted with age; `age -d | gunzip` reads them too."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, Protocol

from arcctl.errors import BackupError
from arcctl.runtime.files import PRIVATE_FILE

CHUNK = 1 << 16
_GZIP = 31
"""zlib's number for a gzip header and trailer."""
_FAST = 1


class Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


@contextlib.contextmanager
def sealed(path: Path, recipient: Any) -> Iterator[tuple[BinaryIO, Digest]]:
    """What to write into, and what became of the file when this ends."""
    import pyrage

    digest = Digest()

    def encrypt(source: BinaryIO) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file, source:
            pyrage.encrypt_io(_Compressed(source), _Counted(file, digest), [recipient])
            file.flush()
            os.fsync(handle)

    out, into = os.pipe()
    work = _Background(encrypt, os.fdopen(out, "rb"))
    with _translated(f"cannot write {path}", work), os.fdopen(into, "wb") as stream:
        yield stream, digest


@contextlib.contextmanager
def opened(path: Path, identity: Any) -> Iterator[BinaryIO]:
    """The plain content of a file.

    Raises BackupError, at the end too, where it is damaged: what was read by then is not to be trusted.
    """
    import pyrage

    def decrypt(target: BinaryIO) -> None:
        with path.open("rb") as file, target:
            plain = _Plain(target)
            pyrage.decrypt_io(file, plain, [identity])
            plain.end()

    out, into = os.pipe()
    work = _Background(decrypt, os.fdopen(into, "wb"))
    with _translated(f"cannot read {path}", work), os.fdopen(out, "rb") as stream:
        yield stream
        while stream.read(CHUNK):  # what nobody asked for is checked too
            pass


@contextlib.contextmanager
def _translated(what: str, work: _Background) -> Iterator[None]:
    """Both ends fail together; whoever failed first has the better reason."""
    try:
        yield
    except OSError:
        work.result(what)
        raise
    finally:
        work.join()
    work.result(what)


class _Background:
    """One function in a thread of its own; its exception is kept."""

    def __init__(self, work: Callable[[BinaryIO], None], stream: BinaryIO) -> None:
        self._work, self._stream = work, stream
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work(self._stream)
        except Exception as error:
            self._error = error
        finally:
            with contextlib.suppress(OSError):
                self._stream.close()

    def join(self) -> None:
        self._thread.join()

    def result(self, what: str) -> None:
        """Raises BackupError for what went wrong."""
        self.join()
        if self._error:
            reason = getattr(self._error, "strerror", None) or str(self._error)
            raise BackupError(f"{what}: {reason.lower()}", hint="arcctl backup list") from None


class Digest:
    """Size and hash of what went by."""

    def __init__(self) -> None:
        self._hash, self.bytes = hashlib.sha256(), 0

    def update(self, data: bytes) -> None:
        self._hash.update(data)
        self.bytes += len(data)

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()


class _Counted:
    def __init__(self, target: Sink, digest: Digest) -> None:
        self._target, self._digest = target, digest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._target.write(data)

    def flush(self) -> None:
        """The file is flushed once, at its end."""


class _Compressed:
    """Reads as gzip what a stream has plain."""

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
    """Writes plain what it is handed as gzip."""

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
