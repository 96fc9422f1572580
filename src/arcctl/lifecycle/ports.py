"""Chooses the ports of a project: the default ones where nobody else has them, else the next free ones.

A number that was chosen stays. Other projects of this user leave it alone also while this one is down.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from arcctl.errors import EngineError, PreflightError
from arcctl.model.host_ports import HostPort, free_port
from arcctl.project import Project
from arcctl.settings import known_projects
from arcctl.settings.directory import KEPT_PORTS
from arcctl.settings.known_projects import KnownProject, choosing


def choose(project: Project, fixed: Container[str] | None = None) -> Project:
    """The project with ports that no other one has; for a caller that holds the project's lock.

    Nothing is chosen where there are `fixed` services: raises PreflightError for a port of these that another project
    has, or that is in use.
    """
    if project.identity.unlisted or not _undecided(_settable(project), _own(project)):
        return project
    with choosing():
        choice = _Choice(project)
        moved = choice.moved() if fixed is None else choice.refuse(fixed)
        decided = [port for port in choice.ports if fixed is None or port not in choice.open or port.service in fixed]
        _remember(project, {port.variable: moved.get(port.variable, port.number) for port in decided})
        project.directory.keep_ports(moved)
    if moved:
        project = project.reloaded()
        project.directory.write_compose_env(project.settings.mapping())
    return project


def reserve(project: Project) -> None:
    """Let other projects know the ports that were changed by hand."""
    if (own := _own(project)) and not project.identity.unlisted:
        ports = {port.variable: port.number for port in _settable(project)}
        if changed := {name: ports[name] for name, number in own.ports.items() if ports.get(name, number) != number}:
            with choosing():
                _remember(project, changed)


def _old_services(project: Project) -> frozenset[str]:
    """Those that have run on this engine. One that an earlier arcctl started has the default ports."""
    known = project.directory.started() | project.directory.bootstrapped()
    try:
        there = known and (project.engine.volumes() or project.engine.observe().containers)
    except EngineError:
        return known
    return known if there else frozenset()


def chosen(project: Project, services: Container[str] | None = None) -> dict[str, int]:
    """The ports of these services, or of all, also where the default ones were not free."""
    values = project.settings.values
    return {
        port.variable: port.number
        for port in _settable(project)
        if values[port.variable].origin == KEPT_PORTS and (services is None or port.service in services)
    }


def _settable(project: Project) -> list[HostPort]:
    return [port for port in project.host_ports() if port.variable]


def _own(project: Project) -> KnownProject | None:
    return known_projects.get(project.identity.id)


def _remember(project: Project, ports: Mapping[str, int]) -> None:
    """Under `choosing`. A folder that cannot be written keeps nothing: then this user has one project."""
    if own := _own(project):
        known_projects.remember(replace(own, ports={**own.ports, **ports}))


def _undecided(ports: Iterable[HostPort], own: KnownProject | None) -> list[HostPort]:
    known = own.ports if own else {}
    return [port for port in ports if known.get(port.variable) != port.number]


@dataclass(frozen=True)
class _Choice:
    """What can be chosen while nobody else chooses."""

    project: Project

    @cached_property
    def ports(self) -> list[HostPort]:
        return _settable(self.project)

    @cached_property
    def open(self) -> list[HostPort]:
        """The ports that are not decided: the user has not set them, and no service has run with them."""
        undecided = _undecided(self.ports, _own(self.project))
        old = _old_services(self.project) if undecided else ()
        return [p for p in undecided if p.service not in old and self.project.is_unset(p.variable)]

    @cached_property
    def _published(self) -> frozenset[int]:
        """An engine may be where its ports are not those of this machine."""
        try:
            return self.project.engine.published_ports()
        except EngineError:
            return frozenset()

    def moved(self) -> dict[str, int]:
        """Another number, by variable, for each open port that somebody else has."""
        found: dict[str, int] = {}
        used = [port.number for port in self.ports if port not in self.open]
        usual = {port.number for port in self.open}
        for port in self.open:
            number = port.number
            if number in used or self._is_taken(number):
                number = found[port.variable] = free_port(number, {*used, *usual}, self._is_taken)
            used.append(number)
        return found

    def _is_taken(self, port: int) -> bool:
        return port in self._published or self.project.is_taken(port)

    def refuse(self, services: Container[str]) -> dict[str, int]:
        """Raises PreflightError for an open port of these services that somebody else has."""
        taken = [port for port in self.open if port.service in services and self._is_taken(port.number)]
        if not taken:
            return {}
        problems = (f"port {port.number} ({port.component}) {self._whose(port.number)}" for port in taken)
        free = self.moved()
        others = " ".join(f"{port.variable}={free[port.variable]}" for port in taken)
        raise PreflightError("; ".join(problems), hint=f"arcctl config set {others}")

    def _whose(self, port: int) -> str:
        if other := self.project.reserved_by(port):
            return f"is reserved by the project {other}"
        return f"is already in use by {self.project.port_owner(port)}"
