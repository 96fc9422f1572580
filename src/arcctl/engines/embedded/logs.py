"""The output of local processes, read from the files that their supervisor writes."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

PAUSE = 0.3
"""Seconds between two reads."""


def log_file(base: Path, key: str) -> Path:
    return base / "log" / f"{key}.log"


def last_run(starts: Path) -> int:
    """How many bytes a log had at the last start of its process that surely printed something: the one before the last,
    where there are two."""
    lines = starts.read_bytes().splitlines() if starts.is_file() else []
    sizes = [line.partition(b" ")[2] for line in lines]  # an earlier arcctl noted the pid alone
    size = next(iter(sizes[-2:]), b"")
    return int(size) if size.isdigit() else 0


def follow(paths: Mapping[str, Path], *, follow: bool, tail: str, start: int = 0) -> Iterator[str]:
    """Lines, each after the key of its process; `tail` is a number of lines, or empty for all.

    While it follows, a line is given when its end has come. The bytes before `start` are left out, of a log that has
    as many: one that was begun anew meanwhile has all of it.
    """
    with contextlib.ExitStack() as closed_at_end:
        logs = {key: _Log(path, start) for key, path in paths.items()}
        for key, log in logs.items():
            closed_at_end.callback(log.close)
            lines = log.read()
            if not follow:
                lines += log.rest()
            kept = lines[max(0, len(lines) - int(tail)) :] if tail else lines
            yield from (f"{key}  | {line}" for line in kept)
        while follow:
            time.sleep(PAUSE)
            for key, log in logs.items():
                yield from (f"{key}  | {line}" for line in log.read())


class _Log:
    """A growing file. It stays open, so that nothing is missed when the file is renamed and a new one begun."""

    def __init__(self, path: Path, start: int) -> None:
        self._path, self._start = path, start
        self._stream: BinaryIO | None = None
        self._unfinished = b""

    def read(self) -> list[str]:
        """The lines that have ended since the last call."""
        new = self._new()
        while self._renamed():
            self.close()
            new += self._new()
        *lines, self._unfinished = (self._unfinished + new).split(b"\n")
        return [_text(line) for line in lines]

    def rest(self) -> list[str]:
        """The last line, where it has no end."""
        return [_text(self._unfinished)] if self._unfinished else []

    def close(self) -> None:
        if self._stream:
            self._stream.close()
        self._stream = None

    def _new(self) -> bytes:
        if self._stream is None and self._path.is_file():
            self._stream = self._path.open("rb")
            self._stream.seek(self._start)
            self._start = 0  # of this file alone
        if self._stream is None:
            return b""
        if os.fstat(self._stream.fileno()).st_size < self._stream.tell():
            self._stream.seek(0)  # it was emptied
        return self._stream.read()

    def _renamed(self) -> bool:
        if self._stream is None or not self._path.is_file():
            return False
        return not os.path.samestat(os.fstat(self._stream.fileno()), self._path.stat())


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode(errors="replace")
