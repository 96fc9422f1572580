"""Fakes of what backups are made with: data that is a word per service, and a shelf in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from arcctl.core.backup import Dump, Entry, Kind, Manifest, Method, Part, Verified
from arcctl.errors import BackupError, KeyRefused, UsageError


@dataclass
class FakeCopier:
    data: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failing: str = ""
    """The call that fails: `load store`."""

    def _call(self, verb: str, key: str) -> None:
        self.calls.append(f"{verb} {key}")
        if self.failing == f"{verb} {key}":
            raise BackupError(f"{verb} failed")

    def contents(self, key: str, method: Method) -> tuple[tuple[Kind, str], ...]:
        return ((Kind.FOLDER, "data"),)

    def save(self, key: str, method: Method, kind: Kind, name: str, target: BinaryIO) -> None:
        self._call("save", key)
        target.write(self.data[key].encode())

    def load(self, key: str, method: Method, kind: Kind, name: str, source: BinaryIO) -> None:
        self._call("load", key)
        self.beside[key] = source.read().decode()

    def swap(self, key: str, method: Method) -> None:
        self._call("swap", key)
        self.former[key] = self.data.get(key, "")
        self.data[key] = self.beside.pop(key)

    def undo(self, key: str, method: Method) -> None:
        self.beside.pop(key, None)
        self.data[key] = self.former.pop(key, self.data.get(key, ""))
        self._call("undo", key)

    def settle(self, key: str, method: Method) -> None:
        self._call("settle", key)
        del self.former[key]

    def present(self, key: str, method: Method) -> str:
        return self.data.get(key, "")

    def hand_over(self, key: str, method: Dump, password: str) -> None:
        self._call("hand over", key)


@dataclass
class FakeShelf:
    kept: dict[str, FakeStored] = field(default_factory=dict)

    @contextmanager
    def begin(self, stamp: str, to: str, lock: str) -> Iterator[FakeDraft]:
        yield FakeDraft(self)

    def entries(self) -> tuple[Entry, ...]:
        return tuple(Entry(name, stored.manifest, stored.verified) for name, stored in self.kept.items())

    def find(self, name: str) -> FakeStored:
        if name not in self.kept:
            raise UsageError(f"no backup {name}")
        return self.kept[name]


@dataclass
class FakeDraft:
    shelf: FakeShelf
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, file: str, fill: Callable[[BinaryIO], None]) -> tuple[int, str]:
        stream = BytesIO()
        fill(stream)
        self.files[file] = stream.getvalue()
        return len(self.files[file]), "hash"

    def write_secrets(self, file: str) -> tuple[int, str]:
        return self.write(file, lambda stream: None)

    def finish(self, manifest: Manifest) -> str:
        self.shelf.kept["first"] = FakeStored(manifest, self.files)
        return "first"


@dataclass
class FakeStored:
    manifest: Manifest
    files: dict[str, bytes]
    broken: tuple[str, ...] = ()
    key: str = ""
    path: Path = Path("first")
    verified: Verified | None = None

    def damages(self, parts: Iterable[Part]) -> tuple[str, ...]:
        return self.broken

    def unlock(self, key_file: str) -> None:
        if key_file != self.key:
            raise KeyRefused("another key")

    def read(self, part: Part, use: Callable[[BinaryIO], None]) -> None:
        use(BytesIO(self.files[part.file]))

    def restore_secrets(self, part: Part) -> tuple[str, ...]:
        return ("secrets",)

    def note(self, verified: Verified) -> None:
        self.verified = verified

    def delete(self) -> None:
        """Out of sight."""
