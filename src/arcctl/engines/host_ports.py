"""Ports that are in use: the host's loopback ports with their processes, or those of an engine elsewhere."""

from __future__ import annotations

import socket
from functools import cached_property
from pathlib import Path

from arcctl.engines.base import Engine
from arcctl.errors import EngineError
from arcctl.model.host_ports import PortOwner

_LISTEN = "0A"


class LoopbackPorts:
    def taken(self, port: int) -> bool:
        """Whether another socket listens on the port now."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return True
        return False

    def owner(self, port: int) -> PortOwner | None:
        """`name (pid 42)` of the process that listens, with its project; None where the system does not say."""
        from arcctl.engines.embedded import processes

        inode = _listening_inode(port)
        for folder in Path("/proc").glob("[0-9]*") if inode else ():
            if _holds(folder, inode):
                name = (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return PortOwner(f"{name} (pid {folder.name})", processes.project(int(folder.name)))
        return None


class EnginePorts:
    """Ports of the machine on which an engine publishes them. One elsewhere is asked once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._here = LoopbackPorts()

    @cached_property
    def _published(self) -> frozenset[int] | None:
        """Nothing is known of an engine that does not answer, which is told elsewhere."""
        try:
            return self._engine.published_ports()
        except EngineError:
            return frozenset()

    def taken(self, port: int) -> bool:
        return self._here.taken(port) if self._published is None else port in self._published

    def owner(self, port: int) -> PortOwner | None:
        return self._here.owner(port) if self._published is None else None


def _listening_inode(port: int) -> str:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines()[1:] if table.is_file() else ():
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                return fields[9]
    return ""


def _holds(process: Path, inode: str) -> bool:
    try:
        return any(str(fd.readlink()) == f"socket:[{inode}]" for fd in (process / "fd").iterdir())
    except OSError:
        return False
