"""`engine list` and `engine build`: the servers of local processes, built two at a time, the longest first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from arcctl.engines.base import Availability, Servers
from arcctl.errors import BuildError, UsageError
from arcctl.events import Event, Kind, Sink
from arcctl.model.graph import closure, resolve
from arcctl.model.service import Catalogue

AT_ONCE = 2
HEARTBEAT = 30.0
"""Seconds after which a build that reports no progress is mentioned again."""


@dataclass(frozen=True)
class ServerList:
    servers: tuple[Availability, ...]


def list_servers(words: tuple[str, ...], catalogue: Catalogue, servers: Servers) -> ServerList:
    """The servers of the services that words name, and of what those need; no word means all."""
    services = set(closure(resolve(words or ("all",), catalogue), catalogue))
    return ServerList(tuple(found for found in servers.availabilities() if found.service in services))


def build(words: tuple[str, ...], catalogue: Catalogue, servers: Servers, sink: Sink) -> tuple[str, ...]:
    """Build the missing ones of `list_servers`; returns their names, the longest build first.

    Raises BuildError for a named service that cannot be built here, and, after all others ended, for a build that
    failed.
    """
    found = list_servers(words, catalogue, servers).servers
    for server in found:
        if not server.startable and not server.buildable:
            if server.service in words:
                raise BuildError(f"{server.process} cannot be built here: {server.reason}", hint=server.command)
            sink(Event(Kind.NOTE, "", f"not built: {server.process}: {server.reason} ({server.command})"))
    missing = {s.source: s.minutes or 0 for s in found if s.source and s.buildable}
    wanted = tuple(sorted(missing, key=lambda source: -missing[source]))
    _Build(servers, sink).run(wanted)
    return wanted


@dataclass
class _Build:
    """Some builds at the same time."""

    servers: Servers
    sink: Sink
    _began: float = field(default_factory=time.monotonic)

    def run(self, sources: tuple[str, ...]) -> None:
        """Raises the first BuildError after all others ended."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = {pool.submit(self._build, source): source for source in sources}
            try:
                problems = [self._result(running[done], done) for done in self._ended(running)]
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        for problem in filter(None, problems):
            raise problem

    def _ended(self, running: dict[Future[None], str]) -> Iterator[Future[None]]:
        left = set(running)
        while left:
            done, left = wait(left, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            yield from done
            if not done:
                names = sorted(running[future] for future in left if future.running())
                self._tell(Kind.WORKING, ", ".join(names), "still building")

    def _build(self, source: str) -> None:
        for line in self.servers.build(source):
            self._tell(Kind.WORKING, source, line)

    def _result(self, source: str, done: Future[None]) -> BuildError | None:
        try:
            done.result()
        except BuildError as error:
            self._tell(Kind.FAILED, source, "could not be built")
            return error
        self._tell(Kind.READY, source, "can be started")
        return None

    def _tell(self, kind: Kind, subject: str, message: str) -> None:
        self.sink(Event(kind, subject, message, time.monotonic() - self._began))


def refuse_used(servers: Servers) -> None:
    """Raises UsageError where another project runs from the cache."""
    used_by = servers.used_by()
    if used_by:
        hint = "to see them: arcctl projects; when they are down: arcctl engine clean"
        raise UsageError(f"these servers are running for {', '.join(used_by)}", hint=hint)


def clean(servers: Servers) -> None:
    """Raises UsageError where another project runs from the cache: it may have started while a person was asked."""
    refuse_used(servers)
    servers.clean()
