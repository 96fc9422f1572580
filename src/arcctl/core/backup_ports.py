"""The seams to data that is kept: who takes it out of servers and puts it back, and where backups lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from arcctl.core.backup import Dump, Entry, Kind, Manifest, Method, Part, Verified


class Copier(Protocol):
    """Takes a service's data out of its server and puts it back, by the method that its declaration names."""

    def contents(self, key: str, method: Method) -> tuple[tuple[Kind, str], ...]:
        """What there is to take; nothing where there is no data."""

    def save(self, key: str, method: Method, kind: Kind, name: str, target: BinaryIO) -> None: ...
    def load(self, key: str, method: Method, kind: Kind, name: str, source: BinaryIO) -> None:
        """Lay what was saved beside what is there, which goes on as it is."""

    def swap(self, key: str, method: Method) -> None:
        """Put what was laid beside in the place of what is there, at one moment."""

    def undo(self, key: str, method: Method) -> None:
        """Back to what was there before `load`."""

    def settle(self, key: str, method: Method) -> None:
        """What was there before goes for good."""

    def present(self, key: str, method: Method) -> str:
        """What is there now, for a person; empty where nothing is."""

    def hand_over(self, key: str, method: Dump, password: str) -> None:
        """Let the server take another password than the one that `method` has."""


class Draft(Protocol):
    """A backup that is being written."""

    def write(self, file: str, fill: Callable[[BinaryIO], None]) -> tuple[int, str]:
        """Bytes and hash of the file that `fill` fills."""

    def write_secrets(self, file: str) -> tuple[int, str]:
        """The home's secrets and settings, and the files of the user's own services."""

    def finish(self, manifest: Manifest) -> str:
        """The name by which it can be found from now on."""


class Stored(Protocol):
    """One backup, to read from."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def path(self) -> Path: ...
    def damages(self, parts: Iterable[Part]) -> tuple[str, ...]:
        """What is wrong with these files, as far as hashes tell."""

    def unlock(self, key_file: str) -> None:
        """Make the parts readable, with the passphrase or the age identity of a file, or the home's own passphrase.

        Raises KeyRefused for a key of another backup.
        """

    def read(self, part: Part, use: Callable[[BinaryIO], None]) -> None: ...
    def restore_secrets(self, part: Part) -> tuple[str, ...]:
        """The files of the home that were written."""

    def note(self, verified: Verified) -> None: ...
    def delete(self) -> None: ...


class Shelf(Protocol):
    """The backups of a home."""

    def begin(self, stamp: str, to: str, lock: str) -> AbstractContextManager[Draft]:
        """A new one, in the folder `to` or the usual one; it is there when it is finished, or not at all.

        `lock` is an age recipient, the path of a file with a passphrase, or empty for the home's own passphrase.
        """

    def entries(self) -> tuple[Entry, ...]: ...
    def find(self, name: str) -> Stored:
        """By its name or the path of its folder. Raises UsageError where there is none."""
