"""`health`: observe once, ask everything at once, judge."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from arcctl.app.world import World, settings, targets
from arcctl.core.compose import PROJECT
from arcctl.core.events import Event, Kind
from arcctl.core.graph import closure, resolve
from arcctl.core.health import Report, Status, Verdict, judge, overall
from arcctl.core.observed import ABSENT, Observed

DEADLINE = 5.0
"""Seconds that one look at the whole platform may take."""


@dataclass(frozen=True)
class Request:
    words: tuple[str, ...] = ()
    """Services, layers or `all`; nothing means `all`."""
    deadline: float = DEADLINE


async def run(request: Request, world: World) -> Report:
    """One report. Read-only; raises for a missing engine and for settings that do not fit, never for ill health."""
    began, started_at = time.perf_counter(), datetime.now(UTC)
    asked = resolve(request.words or ("all",), world.catalogue)
    loaded = settings(world)
    observed, _ = await asyncio.gather(
        asyncio.to_thread(world.engine.observe), asyncio.to_thread(world.prober.get_ready)
    )
    concerned = closure(asked, world.catalogue)
    left = max(0.5, request.deadline - (time.perf_counter() - began))
    answers = await world.prober.ask(targets(world, observed, loaded, concerned), left)
    verdicts = judge(asked, world.catalogue, observed, answers)
    _tell(verdicts, world)
    return Report(
        status=overall(verdicts, counted(request.words, asked, world, observed)),
        started_at=started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        duration_ms=round((time.perf_counter() - began) * 1000),
        engine=world.engine.name,
        project=PROJECT,
        services=verdicts,
    )


def _tell(verdicts: tuple[Verdict, ...], world: World) -> None:
    """For who records the command; nobody waits for these."""
    for verdict in verdicts:
        kind = Kind.FAILED if verdict.status is Status.UNHEALTHY else Kind.READY
        world.sink(Event(kind, verdict.name, verdict.status))


def counted(words: tuple[str, ...], asked: tuple[str, ...], world: World, observed: Observed) -> frozenset[str]:
    """Which services decide the overall status: those named, those that `up` left to run, those that exist."""
    named = {word for word in words if word in world.catalogue.services}
    present = {i for i in asked if observed.of(i).state != ABSENT}
    return frozenset(named | present | (world.home.started() & set(asked)))


def passed(report: Report, *, strict: bool) -> bool:
    """Whether a script may go on: healthy, or degraded where that is not held against it."""
    return report.status is Status.HEALTHY or (report.status is Status.DEGRADED and not strict)
