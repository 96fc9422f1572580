"""Which of a component's sources gives its server on this machine, and what is missing where none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arcctl.engines.base import Availability, ServerState, Unavailable
from arcctl.engines.embedded.artifacts import Artifacts
from arcctl.errors import EngineError
from arcctl.model.binaries import EXTRA, OnPath, Requirements, Source, Wheel
from arcctl.model.service import Catalogue, Component, Layer, Service
from arcctl.settings.installation import offered, with_extra


class BinaryResolver:
    """Servers for the components of one project."""

    def __init__(self, directory: Path, catalogue: Catalogue) -> None:
        self.artifacts = Artifacts(directory)
        self._catalogue = catalogue

    def availabilities(self) -> tuple[Availability, ...]:
        """The best of every service and sidecar, each server once; by service."""
        found: dict[str, Availability] = {}
        for _, best in sorted(self._all(), key=lambda pair: pair[1].process != pair[1].service):
            found.setdefault(best.source or best.process, best)
        return tuple(sorted(found.values(), key=lambda best: (best.service, best.process)))

    def _all(self) -> Iterator[tuple[Source | None, Availability]]:
        for service in self._catalogue.services.values():
            yield self._best(service, service.id)
            yield from (self._best(c, service.id) for c in service.components if c.process)

    def _best(self, component: Component[Any], service: str) -> tuple[Source | None, Availability]:
        """The nearest source; of several equally near ones the first."""
        states = list(ServerState)
        found = [(s, self._availability(s, component, service)) for s in self._sources(component)]
        nowhere = Availability(
            service=service,
            process=component.id,
            state=ServerState.UNSUPPORTED,
            reason=_why_nowhere(component),
            command=_with_docker(service),
        )
        return min(found, key=lambda pair: states.index(pair[1].state), default=(None, nowhere))

    @staticmethod
    def _sources(component: Component[Any]) -> tuple[Source, ...]:
        return component.process.sources if component.process else ()

    def _availability(self, source: Source, component: Component[Any], service: str) -> Availability:
        built = self.artifacts.built(source)
        missing = () if built else self.artifacts.missing_tools(source)
        if missing:
            state = ServerState.MISSING_TOOLS
        elif built:
            state = ServerState.BUILT
        else:
            state = ServerState.BUILDABLE if source.minutes else ServerState.AUTOMATIC
        reason, command = _obstacle(source, state, missing, service)
        return Availability(
            service=service,
            process=component.id,
            state=state,
            source=source.name,
            version=self.artifacts.version(source),
            minutes=source.minutes,
            toolchain=source.toolchain,
            missing=missing,
            reason=reason,
            command=command,
        )

    def source(self, component: Component[Any]) -> Source | None:
        """What a component can be started from now, at most after seconds of building."""
        source, best = self._best(component, component.id)
        return source if best.startable else None

    def needed(self, component: Component[Any]) -> Source:
        """The source of a server that is about to start. Raises EngineError where there is none."""
        found = self.source(component)
        if found is None:
            raise EngineError(f"{component.id} cannot run on this machine", hint="arcctl engine list")
        return found

    def build(self, source: str) -> Iterator[str]:
        return self.artifacts.build(next(found for found, _ in self._all() if found and found.name == source))

    def size(self) -> int:
        return self.artifacts.size()

    def used_by(self) -> tuple[str, ...]:
        return self.artifacts.used_by()

    def clean(self) -> None:
        self.artifacts.clean()

    def unavailable(self) -> dict[str, Unavailable]:
        """The services that cannot run here, each with the reason and the command that changes that."""
        return {a.service: Unavailable(a.reason, a.command) for _, a in self._all() if not a.startable}


def _obstacle(source: Source, state: ServerState, missing: tuple[str, ...], service: str) -> tuple[str, str]:
    """Why a server cannot be started, and the command that changes that."""
    build = f"arcctl engine build {service}"
    if state is ServerState.BUILDABLE:
        return f"{source.name} must be built first, about {source.minutes} min", build
    if state is not ServerState.MISSING_TOOLS:
        return "", ""
    if isinstance(source, Wheel) and not offered(source.package):
        return f"{source.package} has no wheel for this machine", _with_docker(service)
    if EXTRA in missing:
        return "its wheel is not installed", with_extra()
    if isinstance(source, Requirements) and source.lock in missing:
        return f"this project has no {source.lock}", "arcctl init"
    if isinstance(source, OnPath):
        return f"the program {source.program} is not on the PATH", f"install {source.program}"
    tools = ", ".join(missing)
    return f"building {source.name} requires {tools}", f"install {tools}, then {build}"


def _with_docker(service: str) -> str:
    return f"arcctl down, then with Docker: arcctl --engine docker up {service}"


def _why_nowhere(component: Component[Any]) -> str:
    if isinstance(component, Service) and component.layer is Layer.CUSTOM:
        return f"services/{component.id}.yaml has no part `embedded`"
    return "no package contains this server"
