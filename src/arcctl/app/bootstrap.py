"""`bootstrap`: what services have to hold before anyone can use them, looked for and made where it is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from arcctl.app.world import World, settings
from arcctl.core.bootstrap import Found, Report, State
from arcctl.core.env import variables
from arcctl.core.events import Event, Kind
from arcctl.core.graph import resolve
from arcctl.core.observed import Observed

KINDS = {
    State.MADE: Kind.READY,
    State.MISSING: Kind.WARNING,
    State.REFUSED: Kind.WARNING,
}


@dataclass(frozen=True)
class Request:
    words: tuple[str, ...] = ()
    check: bool = False
    """Look only; make nothing."""


async def run(request: Request, world: World) -> Report:
    """Raises for a missing engine and for settings that do not fit, never for what a server refuses."""
    began = time.perf_counter()
    asked = resolve(request.words or ("all",), world.catalogue)
    observed = await asyncio.to_thread(world.engine.observe)
    running = tuple(i for i in asked if observed.of(i).running)
    found = await set_up(running, world, observed, make=not request.check)
    absent = tuple(_skipped(i, world, observed) for i in asked if i not in running)
    named = set(request.words) & set(world.catalogue.services)
    good = all(f.state in (State.THERE, State.MADE) for f in found) and not named - set(running)
    return Report(
        passed=good,
        engine=world.engine.name,
        duration_ms=round((time.perf_counter() - began) * 1000),
        found=tuple(sorted((*found, *(f for f in absent if f)), key=lambda f: f.service)),
    )


def _skipped(service: str, world: World, observed: Observed) -> Found | None:
    """A service without resources has nothing to skip."""
    resources = world.catalogue.services[service].resources(settings(world).envs[service])
    reason = f"is {observed.of(service).state} (arcctl up {service})"
    return Found(service=service, resource="all", state=State.SKIPPED, reason=reason) if resources else None


async def set_up(
    services: tuple[str, ...], world: World, observed: Observed, *, make: bool, since: float = 0.0
) -> tuple[Found, ...]:
    """All services at once, the resources of each one after the other; remembers which of them hold everything.

    `since` is how many seconds the command worked before.
    """
    clock = partial(_elapsed, time.monotonic() - since)
    ports = {key: dict(state.ports) for key, state in observed.containers.items() if state.running}
    found = await asyncio.gather(*(_service(i, ports, world, clock, make=make) for i in services))
    good = {i for i, some in zip(services, found, strict=True) if {f.state for f in some} <= {State.THERE, State.MADE}}
    world.home.remember_set_up(world.home.set_up() - set(services) | good)
    return tuple(one for some in found for one in some)


async def _service(
    service: str, ports: Mapping[str, Mapping[int, int]], world: World, clock: Callable[[], float], *, make: bool
) -> tuple[Found, ...]:
    """Stops at the first resource that cannot be made: later ones build on it."""
    loaded, done = settings(world), list[Found]()
    told = {v.field: v.name for v in variables(world.catalogue.services[service].env) if v.told}
    values: Mapping[str, str] = {field: loaded.values[name].text or "" for field, name in told.items()}
    for resource in world.catalogue.services[service].resources(loaded.envs[service]):
        before = values
        found, values = await world.provider.provide(service, resource, ports, before, make=make)
        new = {name: values[field] for field, name in told.items() if values[field] != before[field]}
        if new:
            world.home.keep_secrets(new)
        _tell(found, clock(), world)
        done.append(found)
        if found.state is State.REFUSED:
            break
    return tuple(done)


def _elapsed(began: float) -> float:
    return time.monotonic() - began


def _tell(found: Found, seconds: float, world: World) -> None:
    if found.state in KINDS:
        hint = f" ({found.hint})" if found.hint else ""
        text = f"{found.state} {found.resource}" + (f": {found.reason}{hint}" if found.reason else "")
        world.sink(Event(KINDS[found.state], found.service, text, seconds))
