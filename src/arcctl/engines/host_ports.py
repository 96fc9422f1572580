"""Ports that are in use: those of this machine with their processes, or those of an engine elsewhere."""

from __future__ import annotations

import errno
import socket
from functools import cached_property

from arcctl.engines import machine
from arcctl.engines.base import Engine
from arcctl.errors import EngineError
from arcctl.model.host_ports import PortOwner
from arcctl.model.names import LOOPBACK


class LoopbackPorts:
    """Ports of this machine's loopback address, or of another address that is given."""

    def __init__(self, address: str = LOOPBACK) -> None:
        self._address = address

    def taken(self, port: int) -> bool:
        """Whether another socket listens on the port now; never on an address that this machine does not have."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._address, port))
            except OSError as error:
                return error.errno != errno.EADDRNOTAVAIL
        return machine.WILDCARD_IS_HIDDEN and _answers(self._address, port)

    def owner(self, port: int) -> PortOwner | None:
        """`name (pid 42)` of the process that listens, with its project; None where the system does not say."""
        from arcctl.engines.embedded import processes

        pid = machine.listener(port)
        found = machine.process(pid) if pid else None
        return PortOwner(f"{found.name} (pid {pid})", processes.project(pid)) if found else None


def _answers(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        return client.connect_ex((address, port)) == 0


class EnginePorts:
    """Ports of the machine on which an engine publishes them, on this address. One elsewhere is asked once.

    Local processes listen on the loopback address, whatever the address is.
    """

    def __init__(self, engine: Engine, published_at: str = LOOPBACK) -> None:
        self._engine = engine
        self._here = LoopbackPorts(LOOPBACK if engine.image_store is None else published_at)

    @cached_property
    def _published(self) -> frozenset[int]:
        """Nothing is known of an engine that does not answer, which is told elsewhere."""
        try:
            return self._engine.published_ports()
        except EngineError:
            return frozenset()

    def taken(self, port: int) -> bool:
        return port in self._published if self._engine.remote else self._here.taken(port)

    def owner(self, port: int) -> PortOwner | None:
        return None if self._engine.remote else self._here.owner(port)
