"""What is checked before anything starts: the engine's version, ports, disk and memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from arcctl.engines.base import EngineFacts, too_old
from arcctl.errors import EngineError, PreflightError
from arcctl.events import Event, Kind
from arcctl.lifecycle.plan import Action, Plan
from arcctl.model.disk import GIGABYTE, MEGABYTE, SPARE_BYTES, Space
from arcctl.model.service import Component
from arcctl.project import Project

OTHER_PORT = "stop what uses the port, or choose another one; to see the settings: arcctl config show"
FREE = ["free disk space; to see what can be removed: arcctl doctor"]


def check(plan: Plan, project: Project) -> None:
    """Raises EngineError for an engine that is too old, PreflightError for ports in use and too little disk."""
    if not plan.changes:
        return
    facts = project.engine.facts()
    refuse_old(facts)
    project.note(f"engine: {describe(facts)}")
    ports, disk = list(_ports(plan, project)), list(_disk(facts))
    if ports or disk:
        raise PreflightError("; ".join((*ports, *disk)), hint="; ".join([OTHER_PORT] * bool(ports) + FREE * bool(disk)))
    _warn_memory(plan, project, facts)


def describe(facts: EngineFacts) -> str:
    """Versions and sizes in one line."""
    sizes = f"{facts.cpus} cores, {facts.memory / GIGABYTE:.1f} GiB memory"
    disk = f", {facts.disk.free / GIGABYTE:.0f} GiB disk free" if facts.disk else ""
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    return f"{versions}, {sizes}{disk}"


def refuse_old(facts: EngineFacts) -> None:
    """Raises EngineError for an engine or a Compose that lacks what the files use."""
    problem = too_old(facts.versions)
    if problem:
        raise EngineError(problem[0], hint=problem[1])


def _ports(plan: Plan, project: Project) -> Iterator[str]:
    """Ports of services that do not run yet: those that run use their own."""
    fresh = {s.key for s in plan.steps if s.action in (Action.CREATE, Action.START)}
    for service_id in plan.services:
        service = project.catalogue.services[service_id]
        for port in service.network.ports(project.settings.envs[service_id]) if service_id in fresh else ():
            if project.ports.taken(port.host):
                yield f"port {port.host} ({service_id}) is already in use by {owner(project, port.host)}"


def owner(project: Project, port: int) -> str:
    """The program that uses a port of the host, as precisely as the system tells."""
    return project.engine.port_owner(port) or project.ports.owner(port) or "another program"


def _disk(facts: EngineFacts) -> Iterator[str]:
    disk = facts.disk
    if disk and (disk.space is Space.NONE or disk.free < SPARE_BYTES):
        yield f"too little disk space at {disk}"


def memory_wanted(containers: Iterable[Component[Any]]) -> int:
    """The sum of the memory limits, in bytes."""
    return sum(c.container.memory_mb for c in containers) * MEGABYTE


def _warn_memory(plan: Plan, project: Project, facts: EngineFacts) -> None:
    """Limits are upper bounds, so an engine smaller than their sum gets a warning and not a refusal."""
    containers = project.catalogue.components(plan.services)
    wanted = memory_wanted(containers.values())
    if facts.memory and facts.memory < wanted // 2:
        text = f"the engine has {facts.memory // MEGABYTE} MiB; these services may use up to {wanted // MEGABYTE} MiB"
        project.sink(Event(Kind.WARNING, "", text))
