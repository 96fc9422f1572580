"""What must hold before anything starts: a recent engine, free ports, enough memory and disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from arcctl.app.world import World
from arcctl.core.events import Event, Kind
from arcctl.core.model import Container
from arcctl.core.plan import Action, Plan
from arcctl.core.ports import EngineFacts
from arcctl.core.requirements import GIGABYTE, MEGABYTE, SPARE_DISK, too_old
from arcctl.core.settings import Settings
from arcctl.errors import EngineError, PreflightError


def run(plan: Plan, world: World, loaded: Settings) -> None:
    """Raises EngineError for an engine that is too old and PreflightError for what stands in the way."""
    if not plan.changes:
        return
    facts = world.engine.facts()
    refuse_old(facts)
    world.note(f"engine: {describe(facts)}")
    problems = [*_ports(plan, world, loaded), *_disk(facts)]
    if problems:
        raise PreflightError("; ".join(problems), hint="free what is taken, or set another port: arcctl config show")
    _warn_memory(plan, world, facts)


def describe(facts: EngineFacts) -> str:
    """Versions and sizes in one line."""
    sizes = f"{facts.cpus} cores, {facts.memory / GIGABYTE:.1f} GiB memory"
    disk = f", {facts.disk_free / GIGABYTE:.0f} GiB disk free" if facts.disk_free else ""
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    return f"{versions}, {sizes}{disk}"


def refuse_old(facts: EngineFacts) -> None:
    """Raises EngineError for an engine or a Compose that lacks what the files use."""
    problem = too_old(facts.versions)
    if problem:
        raise EngineError(problem[0], hint=problem[1])


def _ports(plan: Plan, world: World, loaded: Settings) -> Iterator[str]:
    """Only ports of services that do not run yet: those that run hold their own."""
    fresh = {s.key for s in plan.steps if s.action in (Action.CREATE, Action.START)}
    for service_id in plan.services:
        service = world.catalogue.services[service_id]
        for port in service.ports(loaded.envs[service_id]) if service_id in fresh else ():
            if world.ports.taken(port.host):
                yield f"port {port.host} ({service_id}) is taken by {owner(world, port.host)}"


def owner(world: World, port: int) -> str:
    """Who holds a port of the host, as precisely as the system tells."""
    return world.engine.port_owner(port) or world.ports.owner(port) or "another program"


def _disk(facts: EngineFacts) -> Iterator[str]:
    if facts.disk_free and facts.disk_free < SPARE_DISK:
        yield f"only {facts.disk_free // MEGABYTE} MiB of disk are free"


def memory_wanted(containers: Iterable[Container[Any]]) -> int:
    """Bytes up to which containers may grow together."""
    return sum(c.limits.memory_mb for c in containers) * MEGABYTE


def _warn_memory(plan: Plan, world: World, facts: EngineFacts) -> None:
    """Limits are upper bounds, so an engine smaller than their sum gets a warning and not a refusal."""
    containers = world.catalogue.containers(plan.services)
    wanted = memory_wanted(containers.values())
    if facts.memory and facts.memory < wanted // 2:
        text = f"the engine has {facts.memory // MEGABYTE} MiB; these services may use up to {wanted // MEGABYTE} MiB"
        world.sink(Event(Kind.WARNING, "", text))
