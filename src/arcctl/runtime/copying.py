"""Carries out the methods of backups, each by the module that knows it."""

from __future__ import annotations

from typing import Any, BinaryIO

from arcctl.core.backup import Dump, Kind, Method
from arcctl.core.ports import Engine
from arcctl.runtime.dumps import Dumps
from arcctl.runtime.volumes import Shell, Volumes


class ServerCopier:
    """The data of one home's servers."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        self._dumps, self._volumes = Dumps(engine), Volumes(shell)

    def contents(self, key: str, method: Method) -> tuple[tuple[Kind, str], ...]:
        found: tuple[tuple[Kind, str], ...] = self._by(method).contents(key, method)
        return found

    def save(self, key: str, method: Method, kind: Kind, name: str, target: BinaryIO) -> None:
        self._by(method).save(key, method, kind, name, target)

    def load(self, key: str, method: Method, kind: Kind, name: str, source: BinaryIO) -> None:
        self._by(method).load(key, method, kind, name, source)

    def swap(self, key: str, method: Method) -> None:
        self._by(method).swap(key, method)

    def undo(self, key: str, method: Method) -> None:
        self._by(method).undo(key, method)

    def settle(self, key: str, method: Method) -> None:
        self._by(method).settle(key, method)

    def present(self, key: str, method: Method) -> str:
        return str(self._by(method).present(key, method))

    def hand_over(self, key: str, method: Dump, password: str) -> None:
        self._dumps.hand_over(key, method, password)

    def _by(self, method: Method) -> Any:
        return self._dumps if isinstance(method, Dump) else self._volumes
