"""Which of a container's sources gives its server on this machine, and what is in the way where none does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arcctl.core.local import process_of
from arcctl.core.model import Catalogue, Container, Service
from arcctl.core.observed import Unavailable
from arcctl.core.sources import Source
from arcctl.errors import EngineError
from arcctl.runtime.artifacts import EXTRA, Artifacts


class Supply:
    """Servers for the containers of one home."""

    def __init__(self, home: Path) -> None:
        self.artifacts = Artifacts(home)

    def source(self, container: Container[Any]) -> Source | None:
        """The first source that is ready, else the first that takes no more than seconds to make."""
        sources = process_of(container).sources
        ready = (s for s in sources if self.artifacts.ready(s))
        quick = (s for s in sources if s.minutes == 0 and not self.artifacts.missing_tools(s))
        return next(ready, None) or next(quick, None)

    def needed(self, key: str, container: Container[Any]) -> Source:
        """The source of a server that is about to start.

        Raises EngineError where there is none.
        """
        found = self.source(container)
        if found is None:
            raise EngineError(f"{key} is not available here", hint="arcctl engine list")
        return found

    def unavailable(self, catalogue: Catalogue) -> dict[str, Unavailable]:
        """The services that cannot run here, each with the reason and the way out."""
        found = {i: self._why_not(i, service) for i, service in catalogue.services.items()}
        return {i: why for i, why in found.items() if why is not None}

    def _why_not(self, service_id: str, service: Service[Any]) -> Unavailable | None:
        if service.process is None:
            return Unavailable("no package brings this server", f"arcctl --engine docker up {service_id}")
        for container in (service, *(h for h in service.helpers if not h.aside)):
            if self.source(container) is None:
                return self.explain(process_of(container).sources, service_id)
        return None

    def explain(self, sources: tuple[Source, ...], service_id: str) -> Unavailable:
        """Why none of these sources gives a server now."""
        build = f"arcctl engine build {service_id}"
        for source in sources:
            missing = self.artifacts.missing_tools(source)
            if not missing:
                return Unavailable(f"{source.name} must be built first, about {source.minutes} min", build)
        tools = self.artifacts.missing_tools(sources[0])
        if EXTRA in tools:
            return Unavailable("its wheel is not installed", f"pip install '{EXTRA}'")
        return Unavailable(f"building it takes {', '.join(tools)}", f"install {', '.join(tools)}, then {build}")
