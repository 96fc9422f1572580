"""`bootstrap`: what services have to hold before anyone can use them, looked for and made where it is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from arcctl.app.world import World, settings, turn
from arcctl.core.bootstrap import Found, Report, Resource, State
from arcctl.core.env import variables
from arcctl.core.events import Event, Kind
from arcctl.core.graph import resolve
from arcctl.core.observed import Observed
from arcctl.core.proof import Proof
from arcctl.core.settings import Settings

TIMEOUT = 100.0
"""Seconds that one look or one making may take."""


@dataclass(frozen=True)
class Request:
    words: tuple[str, ...] = ()
    check: bool = False
    """Look only; make nothing."""


async def run(request: Request, world: World) -> Report:
    """Raises for a missing engine and for settings that do not fit, never for what a server refuses."""
    if request.check:
        return await _report(request, world)
    with await turn(world):
        return await _report(request, world)


async def _report(request: Request, world: World) -> Report:
    began = time.perf_counter()
    asked = resolve(request.words or ("all",), world.catalogue)
    observed = await asyncio.to_thread(world.engine.observe)
    running = tuple(i for i in asked if observed.of(i).running)
    loaded = settings(world)
    found = await set_up(running, world, observed, loaded, make=not request.check)
    absent = {i: world.catalogue.services[i].resources(loaded.envs[i]) for i in asked if i not in running}
    skipped = tuple(_skipped(i, observed) for i, resources in absent.items() if resources)
    named = set(request.words) & set(world.catalogue.services)
    good = all(f.state in (State.THERE, State.MADE) for f in found) and not named - set(running)
    return Report(
        passed=good,
        engine=world.engine.name,
        duration_ms=round((time.perf_counter() - began) * 1000),
        found=tuple(sorted((*found, *skipped), key=lambda f: f.service)),
    )


def _skipped(service: str, observed: Observed) -> Found:
    reason = f"is {observed.of(service).state} (arcctl up {service})"
    return Found(service=service, resource="all", state=State.SKIPPED, reason=reason)


async def set_up(
    services: tuple[str, ...], world: World, observed: Observed, loaded: Settings, *, make: bool, since: float = 0.0
) -> tuple[Found, ...]:
    """All services at once, the resources of each one after the other; remembers which of them hold everything.

    `since` is how many seconds the command worked before.
    """
    began = time.monotonic() - since
    setting_up = [SettingUp(world, loaded, i, observed.published, make, began) for i in services]
    wanted = [world.catalogue.services[i].resources(loaded.envs[i]) for i in services]
    found = await asyncio.gather(*(one.run(some) for one, some in zip(setting_up, wanted, strict=True)))
    good = {i for i, some in zip(services, found, strict=True) if {f.state for f in some} <= {State.THERE, State.MADE}}
    if make:
        world.home.remember_set_up(world.home.set_up() - set(services) | good)
    return tuple(one for some in found for one in some)


@dataclass
class SettingUp:
    """One service being set up."""

    world: World
    loaded: Settings
    service: str
    ports: Mapping[str, Mapping[int, int]]
    make: bool
    began: float
    """On the monotonic clock."""
    values: Mapping[str, str] = field(default_factory=dict)

    async def run(self, resources: tuple[Resource, ...]) -> tuple[Found, ...]:
        """Stops at the first resource that cannot be made: later ones build on it."""
        service, found = self.world.catalogue.services[self.service], list[Found]()
        told = {v.field: v.name for v in variables(service.env) if v.told}
        self.values = {name: self.loaded.values[variable].text or "" for name, variable in told.items()}
        for resource in resources:
            before, began = self.values, time.monotonic()
            state, reason = await self._state(resource)
            self._keep(
                {variable: self.values[name] for name, variable in told.items() if self.values[name] != before[name]}
            )
            ms = round((time.monotonic() - began) * 1000)
            hint = resource.hint if state is State.REFUSED else ""
            found.append(
                Found(service=self.service, resource=resource.name, state=state, ms=ms, reason=reason, hint=hint)
            )
            if state is State.REFUSED:
                break
        return tuple(found)

    async def _state(self, resource: Resource) -> tuple[State, str]:
        missing = await self._attempt(resource.look)
        if not missing:
            return State.THERE, ""
        if not self.make:
            return State.MISSING, missing
        if resource.make:
            self._tell(Kind.WORKING, f"making {resource.name}")
            missing = await self._attempt(*resource.make)
        if missing:
            self._tell(Kind.WARNING, f"refused {resource.name}: {missing} ({resource.hint})")
            return State.REFUSED, missing
        self._tell(Kind.READY, f"made {resource.name}")
        return State.MADE, ""

    async def _attempt(self, *proofs: Proof) -> str:
        problem, self.values = await self.world.prover.attempt(self.service, proofs, self.ports, self.values, TIMEOUT)
        return problem

    def _keep(self, told: Mapping[str, str]) -> None:
        if told:
            self.world.home.keep_secrets(told)

    def _tell(self, kind: Kind, text: str) -> None:
        self.world.sink(Event(kind, self.service, text, time.monotonic() - self.began))
