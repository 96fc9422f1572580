"""The contract of what takes data out of a server and puts it back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from arcctl.backup.clients.repository import BackupRepository
from arcctl.backup.manifest import Kind
from arcctl.errors import BackupError
from arcctl.model.backup_method import Method


class NotTaken(BackupError):
    """One part of a service's data cannot be copied; the others can."""


class DataCopier(Protocol):
    """Copies the data of one service, by the method that its declaration names."""

    def contents(self) -> tuple[tuple[Kind, str], ...]:
        """What there is to copy, as kinds and names; nothing where there is no data."""

    def save(self, kind: Kind, name: str, target: BinaryIO) -> None:
        """Raises NotTaken where only this part cannot be copied."""

    def load(self, kind: Kind, name: str, source: BinaryIO) -> None:
        """Unpack a copy next to the current data, which stays as it is."""

    def swap(self) -> None:
        """Put what was unpacked in the place of the current data, at one moment."""

    def undo(self) -> None:
        """Back to the data from before `load`."""

    def commit(self) -> None:
        """Delete the data from before `swap`.

        Raises BackupError where that fails: the restored data is in its place all the same.
        """

    def remarks(self) -> tuple[str, ...]:
        """What was left out, or is not as it was where the data was copied, for a person."""

    def present(self, names: Collection[str]) -> str:
        """The current data that copies with these names would replace, for a person; empty where there is none."""

    def set_password(self, password: str) -> None:
        """Change the password with which the server is read, where there is one."""


Copiers = Callable[[str, Method], DataCopier]
"""The copier of a service."""


@dataclass(frozen=True)
class BackupTools:
    """What every backup command works with, besides the project."""

    copiers: Copiers
    repository: BackupRepository
