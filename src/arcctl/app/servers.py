"""`engine build`: make the servers of local processes, two at a time, the long ones first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from arcctl.core.events import Event, Kind, Sink
from arcctl.core.graph import closure, resolve
from arcctl.core.model import Catalogue
from arcctl.core.ports import Servers
from arcctl.core.sources import Offer, Readiness, Source, explain
from arcctl.errors import BuildError

AT_ONCE = 2
HEARTBEAT = 30.0
"""Seconds after which a build that says nothing is mentioned again."""


def chosen(words: tuple[str, ...], catalogue: Catalogue, servers: Servers) -> tuple[Offer, ...]:
    """The offers for the services that words name, with what they need; none means all."""
    services = set(closure(resolve(words or ("all",), catalogue), catalogue))
    return tuple(offer for offer in servers.offers() if offer.service in services)


def build(words: tuple[str, ...], catalogue: Catalogue, servers: Servers, sink: Sink) -> tuple[Source, ...]:
    """Make what is not there; returns what was made.

    Raises BuildError where one fails, after all others ended, and for a named service that cannot be built here.
    """
    offers = chosen(words, catalogue, servers)
    for offer in offers:
        if offer.readiness >= Readiness.LACKING:
            _refuse(offer, words, sink)
    missing = [o.source for o in offers if o.source and o.readiness in (Readiness.QUICK, Readiness.BUILDABLE)]
    wanted = tuple(sorted(missing, key=lambda source: -source.minutes))
    Build(servers, sink).run(wanted)
    return wanted


def _refuse(offer: Offer, words: tuple[str, ...], sink: Sink) -> None:
    why = explain(offer)
    if offer.service in words:
        raise BuildError(f"{offer.key} cannot be built here: {why.reason}", hint=why.command)
    sink(Event(Kind.NOTE, "", f"not built: {offer.key}: {why}"))


@dataclass
class Build:
    """Some servers being made beside each other."""

    servers: Servers
    sink: Sink
    _began: float = field(default_factory=time.monotonic)

    def run(self, sources: tuple[Source, ...]) -> None:
        """Raises BuildError with the words of the first that failed, after all others ended."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = {pool.submit(self._make, source): source for source in sources}
            try:
                problems = [self._settle(running[done].name, done) for done in self._ended(running)]
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        for problem in filter(None, problems):
            raise problem

    def _ended(self, running: dict[Future[None], Source]) -> Iterator[Future[None]]:
        left = set(running)
        while left:
            done, left = wait(left, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            yield from done
            if not done:
                names = sorted(running[future].name for future in left if future.running())
                self._tell(Kind.WORKING, ", ".join(names), "still building")

    def _make(self, source: Source) -> None:
        for line in self.servers.make(source):
            self._tell(Kind.WORKING, source.name, line)

    def _settle(self, name: str, done: Future[None]) -> BuildError | None:
        """What went wrong, if anything."""
        try:
            done.result()
        except BuildError as error:
            self._tell(Kind.FAILED, name, "could not be made")
            return error
        self._tell(Kind.READY, name, "can be started")
        return None

    def _tell(self, kind: Kind, subject: str, message: str) -> None:
        self.sink(Event(kind, subject, message, time.monotonic() - self._began))
