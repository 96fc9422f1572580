"""`doctor`: what usually goes wrong, each point with its evidence and its cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from arcctl.app import preflight
from arcctl.app.world import World, settings
from arcctl.core.settings import near_misses
from arcctl.errors import ArcError


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    evidence: str
    cure: str = ""


def run(world: World) -> tuple[Finding, ...]:
    """Every point is looked at, also when another one fails."""
    return tuple([_home(world), _settings(world), *_near_misses(world), *_engine(world)])


def _home(world: World) -> Finding:
    if world.home.secrets():
        return Finding("home", True, f"{world.home.root}, secrets generated")
    return Finding("home", False, f"{world.home.root} has no secrets yet", "arcctl init")


def _settings(world: World) -> Finding:
    try:
        loaded = settings(world)
    except ArcError as error:
        return Finding("settings", False, error.message, error.hint)
    return Finding("settings", True, f"{len(loaded.values)} values fit")


def _near_misses(world: World) -> Iterator[Finding]:
    for text in near_misses(world.environment, world.catalogue):
        yield Finding("environment", False, text, "unset it, or spell it as the setting is spelt")


def _engine(world: World) -> Iterator[Finding]:
    try:
        facts = world.engine.facts()
        preflight.refuse_old(facts)
    except ArcError as error:
        yield Finding("engine", False, error.message, error.hint)
        return
    yield Finding("engine", True, preflight.describe(facts))
    yield from _ports(world)


def _ports(world: World) -> Iterator[Finding]:
    """Ports that a service which does not run could not have."""
    observed, loaded = world.engine.observe(), settings(world)
    busy = [
        f"{port.host} ({i}) by {preflight.owner(world, port.host)}"
        for i, service in world.catalogue.services.items()
        for port in service.ports(loaded.envs[i])
        if not observed.of(i).running and world.ports.taken(port.host)
    ]
    yield Finding("ports", not busy, f"taken: {', '.join(busy)}" if busy else "all free or ours", "arcctl config show")
