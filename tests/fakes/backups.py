"""Fake volume copiers: the data of a service is a text."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO

import pyrage
import pytest

from arcctl.backup.base import NotTaken
from arcctl.backup.manifest import Kind
from arcctl.errors import BackupError
from arcctl.model.backup_method import Method


@dataclass
class FakeCopiers:
    """The data of all services; a copier for each."""

    data: dict[str, str] = field(default_factory=dict)
    unpacked: dict[str, str] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failing: str = ""
    """The calls that fail: `load store`, `swap store, undo store`."""
    names: tuple[str, ...] = ("data",)
    """What each service has."""
    not_taken: str = ""
    """The one of these that cannot be copied."""
    remarks: tuple[str, ...] = ()

    def __call__(self, key: str, method: Method) -> FakeCopier:
        return FakeCopier(self, key)


@dataclass
class FakeCopier:
    of: FakeCopiers
    key: str

    def _call(self, verb: str) -> None:
        self.of.calls.append(f"{verb} {self.key}")
        if f"{verb} {self.key}" in self.of.failing:
            raise BackupError(f"{verb} failed")

    def contents(self) -> tuple[tuple[Kind, str], ...]:
        return tuple((Kind.FOLDER, name) for name in self.of.names)

    def save(self, kind: Kind, name: str, target: BinaryIO) -> None:
        self._call("save")
        if name == self.of.not_taken:
            target.write(b"half of it")
            raise NotTaken("it is broken", hint="look at it")
        target.write(self.of.data[self.key].encode())

    def load(self, kind: Kind, name: str, source: BinaryIO) -> None:
        self._call("load")
        self.of.unpacked[self.key] = source.read().decode()

    def swap(self) -> None:
        self._call("swap")
        self.of.former[self.key] = self.of.data.get(self.key, "")
        self.of.data[self.key] = self.of.unpacked.pop(self.key)

    def undo(self) -> None:
        if "undo" in self.of.failing:
            self._call("undo")
        self.of.unpacked.pop(self.key, None)
        self.of.data[self.key] = self.of.former.pop(self.key, self.of.data.get(self.key, ""))
        self._call("undo")

    def commit(self) -> None:
        self._call("commit")
        del self.of.former[self.key]

    def remarks(self) -> tuple[str, ...]:
        return self.of.remarks

    def present(self, names: Collection[str]) -> str:
        return self.of.data.get(self.key, "") if names else ""

    def set_password(self, password: str) -> None:
        self._call("set password")


def cheapen_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the passphrases of age, which take a second each, by fast ones that protect nothing."""

    def mark(passphrase: str) -> bytes:
        return hashlib.sha256(passphrase.encode()).digest()

    def encrypt(plain: bytes, passphrase: str) -> bytes:
        return mark(passphrase) + plain

    def decrypt(data: bytes, passphrase: str) -> bytes:
        if not data.startswith(mark(passphrase)):
            raise pyrage.DecryptError("another passphrase")
        return data[32:]

    monkeypatch.setattr(pyrage.passphrase, "encrypt", encrypt)
    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)
