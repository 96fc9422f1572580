"""`health`: ask the engine once and all services at the same time, then judge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from arcctl.checks.cause_report import Explanation
from arcctl.checks.causes import NewestBackup, causes, no_backup
from arcctl.checks.damage import losses as lost_messages
from arcctl.checks.health_report import Evidence, Report, Status, Verdict, judge, overall, read_losses, with_cause
from arcctl.checks.network import look_from_within
from arcctl.engines.base import ABSENT, Observed
from arcctl.events import Event, Kind
from arcctl.model.graph import closure, resolve
from arcctl.model.probe import Answer, Probe
from arcctl.model.smoke_test import SmokeTest
from arcctl.model.telemetry import LOST_MINUTES
from arcctl.project import Project, targets

DEADLINE = 5.0
"""Seconds that one report on all services may take."""
SHORTEST = 2.0
"""Seconds that services get in any case: on a busy machine the engine may have taken the rest."""
CRASH_COUNTS = timedelta(minutes=LOST_MINUTES)
"""How long a crash degrades a service that runs again."""
LOSSES_SECONDS = 1.0
"""Seconds to wait for the metric store."""


@dataclass(frozen=True)
class Request:
    words: tuple[str, ...] = ()
    """Services, layers or `all`; nothing means `all`."""
    deadline: float = DEADLINE
    newest_backup: NewestBackup = no_backup


async def health(request: Request, project: Project) -> Report:
    """Changes nothing. Raises for a missing engine and for invalid settings, never for an unhealthy service."""
    began, started_at = time.perf_counter(), datetime.now(UTC)
    asked = resolve(request.words or ("all",), project.catalogue)
    needed = closure(asked, project.catalogue)
    ready = asyncio.create_task(asyncio.to_thread(project.prober.get_ready, _declared(needed, project)))
    observed = await asyncio.to_thread(project.engine.observe)
    probed = targets(project, observed, needed)
    left = max(SHORTEST, request.deadline - (time.perf_counter() - began))
    inside = asyncio.gather(
        look_from_within(project, observed, left), asyncio.to_thread(project.engine.disks, observed)
    )
    await ready
    newest = request.newest_backup
    answers, losses, damaged, (seen, disks) = await asyncio.gather(
        project.prober.ask(probed, left),
        _losses(project, observed),
        lost_messages(asked, observed, project, newest, left),
        inside,
    )
    ended = crashed(asked, project, observed, answers)
    refused = {i: a for i, a in answers.items() if i in asked and not a.ok and i not in ended}
    why = await asyncio.to_thread(causes, (*ended, *refused), project, newest, refused)
    evidence = Evidence(
        observed=replace(observed, disks=disks),
        answers=answers,
        seen=seen,
        started_at=_started_at(project),
        lately=f"{started_at - CRASH_COUNTS:%Y-%m-%dT%H:%M:%SZ}",
        ports=_declared_ports(project),
        losses=losses,
    )
    judged = judge(asked, project.catalogue, evidence)
    verdicts = tuple(_explained(verdict, project, {**damaged, **why}) for verdict in judged)
    for verdict in verdicts:
        kind = Kind.FAILED if verdict.status is Status.UNHEALTHY else Kind.READY
        project.sink(Event(kind, verdict.name, verdict.status))
    return Report(
        status=overall(verdicts, counted(request.words, asked, project, observed)),
        started_at=started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        duration_ms=round((time.perf_counter() - began) * 1000),
        engine=project.engine.name,
        project=project.name,
        services=verdicts,
    )


def _declared(services: tuple[str, ...], project: Project) -> tuple[Probe | SmokeTest | None, ...]:
    """What is asked of these services."""
    envs, known = project.settings.envs, project.catalogue.services
    declared = ((known[i].checks, envs[i]) for i in services)
    return tuple(one for checks, env in declared for one in (checks.probe(env), checks.stored(env)))


def crashed(
    services: tuple[str, ...], project: Project, observed: Observed, answers: Mapping[str, Answer]
) -> tuple[str, ...]:
    """The components of services that ended by themselves, without servers that answer by now."""
    served = {i for i in services if i in answers and answers[i].ok}
    return tuple(
        key for key in project.catalogue.components(services) if observed.of(key).crashed and key not in served
    )


def _explained(verdict: Verdict, project: Project, why: Mapping[str, Explanation]) -> Verdict:
    """With the cause of the service itself, else with that of its first component that has one."""
    keys = (verdict.name, *project.catalogue.components((verdict.name,)))
    key = next((key for key in keys if key in why), "")
    return with_cause(verdict, why.get(key), key if key != verdict.name else "")


async def _losses(project: Project, observed: Observed) -> Mapping[str, tuple[str, ...]]:
    """What each service lost lately; nothing where the metric store does not answer at once."""
    found: dict[str, tuple[str, ...]] = {}
    for store in project.catalogue.services.values():
        if store.telemetry.lost and observed.of(store.id).running:
            call = replace(store.telemetry.lost, seconds=LOSSES_SECONDS)
            _, body, _ = await project.smoke_test_runner.ask(store.id, call, observed.published, {})
            found |= read_losses(body)
    return found


def _declared_ports(project: Project) -> Mapping[str, Mapping[int, int]]:
    """The host port of each container port of each service, as the settings say it now."""
    envs, services = project.settings.envs, project.catalogue.services
    return {
        i: {port.container: port.host for port in service.network.ports(envs[i])} for i, service in services.items()
    }


def _started_at(project: Project) -> Mapping[str, str]:
    """When each component was started, of the services that were started and not stopped since."""
    started, times = project.directory.started(), project.directory.started_at()
    services = tuple(i for i in project.catalogue.services if i in started)
    return {key: times[key] for key in project.catalogue.components(services) if key in times}


def counted(words: tuple[str, ...], asked: tuple[str, ...], project: Project, observed: Observed) -> frozenset[str]:
    """The services that decide the overall status: those named, those started by `up`, and those that exist."""
    named = {word for word in words if word in project.catalogue.services}
    present = {i for i in asked if observed.of(i).state != ABSENT}
    return frozenset(named | present | (project.directory.started() & set(asked)))


def passed(report: Report, *, strict: bool) -> bool:
    """Whether a script may go on: healthy, or degraded unless `strict`."""
    return report.status is Status.HEALTHY or (report.status is Status.DEGRADED and not strict)
