"""`verify`: every service shows that it does its job; what it wrote for that is removed again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from arcctl.app.health import counted
from arcctl.app.world import World, settings
from arcctl.core.events import Event, Kind
from arcctl.core.graph import resolve
from arcctl.core.model import Layer
from arcctl.core.observed import Observed
from arcctl.core.proof import Guest, Outcome, Proof, Report, Step, judge, proofs_at, without
from arcctl.errors import ArcError

TIMEOUT = 30.0
"""Seconds that one proof may take."""


@dataclass(frozen=True)
class Request:
    words: tuple[str, ...] = ()
    timeout: float = TIMEOUT


async def run(request: Request, world: World) -> Report:
    """All proofs at once. Raises for a missing engine and for settings that do not fit, never for a broken service."""
    began, started_at = time.perf_counter(), datetime.now(UTC)
    asked = resolve(request.words or ("all",), world.catalogue)
    observed = await asyncio.to_thread(world.engine.observe)
    absent = {i: _absent(i, observed) for i in world.catalogue.services}
    proofs = [(i, without(proof, observed.unavailable)) for i, proof in _proofs(world, asked) if not absent[i]]
    found = await asyncio.gather(*(_prove(i, proof, observed.published, request.timeout, world) for i, proof in proofs))
    steps = tuple(step for proof in found for step in proof)
    verdicts = tuple(judge(i, steps, double=observed.of(i).double, absent=absent[i]) for i in asked)
    expected = counted(request.words, asked, world, observed)
    fine = {v.service for v in verdicts if v.outcome is Outcome.PROVED} | _with_nothing_to_prove(world, absent)
    return Report(
        passed=expected <= fine and bool(expected),
        started_at=started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        duration_ms=round((time.perf_counter() - began) * 1000),
        engine=world.engine.name,
        services=verdicts,
    )


def _proofs(world: World, asked: tuple[str, ...]) -> list[tuple[str, Proof]]:
    """The proofs of the services asked for; for one that declares none, those of others that go through it."""
    loaded = settings(world)
    every = [(i, proof) for i, service in world.catalogue.services.items() for proof in service.proofs(loaded.envs[i])]
    alone = {i for i, _ in every}
    return [(i, proof) for i, proof in every if i in asked or (proofs_at(proof, i) & set(asked)) - alone]


def _with_nothing_to_prove(world: World, absent: Mapping[str, str]) -> set[str]:
    """A user's own services that run, and of which no more is known than that."""
    loaded, own = settings(world), world.catalogue.layer(Layer.OWN)
    return {i for i in own if not absent[i] and not world.catalogue.services[i].proofs(loaded.envs[i])}


def _absent(service: str, observed: Observed) -> str:
    """Why a service cannot be proved now; empty when it can."""
    if service in observed.unavailable:
        return f"not available here: {observed.unavailable[service]}"
    now = observed.of(service)
    return "" if now.running else f"is {now.state} (arcctl up {service})"


async def _prove(
    owner: str, proof: Proof, ports: Mapping[str, Mapping[int, int]], timeout: float, world: World
) -> tuple[Step, ...]:
    if isinstance(proof, Guest):
        steps = await _receive(owner, proof, ports, timeout, world)
    else:
        steps = await world.prover.prove(owner, proof, ports, timeout)
    for step in steps:
        kind = Kind.READY if step.ok else Kind.FAILED
        world.sink(Event(kind, f"{owner}: {step.name}", step.message or f"{step.ms} ms", step.since_ms / 1000))
    return steps


async def _receive(
    owner: str, guest: Guest, ports: Mapping[str, Mapping[int, int]], timeout: float, world: World
) -> tuple[Step, ...]:
    """What holds while a guest is there and when it has left; nothing where the engine cannot have one."""
    engine, began = world.engine, time.perf_counter()

    def invite() -> bool:
        engine.dismiss()
        return engine.invite(owner, guest)

    def come(problem: str = "") -> Step:
        ms = round((time.perf_counter() - began) * 1000)
        return Step(owner=owner, service=owner, name=guest.name, ok=not problem, ms=ms, since_ms=ms, message=problem)

    try:
        if not await asyncio.to_thread(invite):
            return ()
        steps = (come(), *await world.prover.prove(owner, guest.here, ports, timeout))
    except ArcError as error:
        return (come(str(error)),)
    finally:
        await asyncio.to_thread(engine.dismiss)
    return (*steps, *await world.prover.prove(owner, guest.gone, ports, timeout))
