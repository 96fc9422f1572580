"""The host's loopback ports: which are in use, and by which process where the system says."""

from __future__ import annotations

import socket

from arcctl.engines import machine
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
