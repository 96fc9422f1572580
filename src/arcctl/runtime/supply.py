"""Which of a container's sources gives its server on this machine, and what is in the way where none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arcctl.core.model import Catalogue, Container
from arcctl.core.observed import Unavailable
from arcctl.core.sources import Offer, Readiness, Source, explain
from arcctl.errors import EngineError
from arcctl.runtime.artifacts import Artifacts


class Supply:
    """Servers for the containers of one home."""

    def __init__(self, home: Path, catalogue: Catalogue) -> None:
        self.artifacts = Artifacts(home)
        self._catalogue = catalogue

    def offers(self) -> tuple[Offer, ...]:
        """The best for every service and helper, each server once."""
        found: dict[str, Offer] = {}
        for offer in sorted(self._all(), key=lambda offer: offer.key != offer.service):
            found.setdefault(offer.source.name if offer.source else offer.key, offer)
        return tuple(sorted(found.values(), key=lambda offer: (offer.service, offer.key)))

    def _all(self) -> Iterator[Offer]:
        for service in self._catalogue.services.values():
            yield self.best(service, service.id, service.id)
            yield from (self.best(h, h.id, service.id) for h in service.helpers if h.process)

    def best(self, container: Container[Any], key: str = "", service: str = "") -> Offer:
        """The nearest of a container's sources; among equals the one that is preferred."""
        sources = container.process.sources if container.process else ()
        offers = [self._offer(source, key, service) for source in sources]
        nowhere = Offer(service=service, key=key, source=None, readiness=Readiness.NOWHERE)
        return min(offers, key=lambda offer: offer.readiness, default=nowhere)

    def _offer(self, source: Source, key: str, service: str) -> Offer:
        lacking = () if self.artifacts.ready(source) else self.artifacts.missing_tools(source)
        if lacking:
            readiness = Readiness.LACKING
        elif self.artifacts.ready(source):
            readiness = Readiness.READY
        else:
            readiness = Readiness.BUILDABLE if source.minutes else Readiness.QUICK
        version = self.artifacts.version(source)
        return Offer(service=service, key=key, source=source, readiness=readiness, lacking=lacking, version=version)

    def source(self, container: Container[Any]) -> Source | None:
        """What a container's server starts from now: what is ready, or takes seconds to make."""
        offer = self.best(container)
        return offer.source if offer.readiness <= Readiness.QUICK else None

    def needed(self, key: str, container: Container[Any]) -> Source:
        """The source of a server that is about to start.

        Raises EngineError where there is none.
        """
        found = self.source(container)
        if found is None:
            raise EngineError(f"{key} is not available here", hint="arcctl engine list")
        return found

    def make(self, source: Source) -> Iterator[str]:
        """Make a server; yields what happens."""
        return self.artifacts.make(source)

    def size(self) -> int:
        return self.artifacts.size()

    def clean(self) -> None:
        self.artifacts.clean()

    def unavailable(self) -> dict[str, Unavailable]:
        """The services that cannot run here, each with the reason and the way out."""
        return {offer.service: explain(offer) for offer in self._all() if offer.readiness > Readiness.QUICK}
