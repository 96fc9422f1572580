"""Ports that are in use: the host's loopback ports with their processes, or those of an engine elsewhere."""

from __future__ import annotations

import socket
from functools import cached_property

from arcctl.engines import machine
from arcctl.engines.base import Engine
from arcctl.errors import EngineError
from arcctl.model.host_ports import PortOwner
from arcctl.model.names import LOOPBACK


class LoopbackPorts:
    def taken(self, port: int) -> bool:
        """Whether another socket listens on the port now."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return True
        return machine.WILDCARD_IS_HIDDEN and _answers(port)

    def owner(self, port: int) -> PortOwner | None:
        """`name (pid 42)` of the process that listens, with its project; None where the system does not say."""
        from arcctl.engines.embedded import processes

        pid = machine.listener(port)
        found = machine.process(pid) if pid else None
        return PortOwner(f"{found.name} (pid {pid})", processes.project(pid)) if found else None


def _answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        return client.connect_ex((LOOPBACK, port)) == 0


class EnginePorts:
    """Ports of the machine on which an engine publishes them. One elsewhere is asked once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._here = LoopbackPorts()

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
