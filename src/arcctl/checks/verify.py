"""`verify`: run the smoke tests of services; what they write is removed again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from arcctl.checks.health import counted
from arcctl.checks.verify_report import Outcome, Report, judge
from arcctl.engines.base import Observed
from arcctl.errors import ArcError
from arcctl.events import Event, Kind
from arcctl.model.graph import resolve
from arcctl.model.service import Layer
from arcctl.model.smoke_test import EphemeralContainer, SmokeTest, Step, services_exercised, without
from arcctl.project import Project

TIMEOUT = 30.0
"""Seconds that one smoke test may take."""


@dataclass(frozen=True)
class Request:
    words: tuple[str, ...] = ()
    timeout: float = TIMEOUT


async def verify(request: Request, project: Project) -> Report:
    """All smoke tests at once. Raises for a missing engine and for invalid settings, never for a failed test."""
    began, started_at = time.perf_counter(), datetime.now(UTC)
    asked = resolve(request.words or ("all",), project.catalogue)
    observed = await asyncio.to_thread(project.engine.observe)
    absent = {i: _absent(i, observed) for i in project.catalogue.services}
    declared = _declared(project)
    tests = [(i, without(t, observed.unavailable)) for i, t in _chosen(declared, asked) if not absent[i]]
    finished = await asyncio.gather(*(_run(i, t, observed.published, request.timeout, project) for i, t in tests))
    steps = tuple(step for test in finished for step in test)
    verdicts = tuple(judge(i, steps, stub=observed.of(i).stub, absent=absent[i]) for i in asked)
    expected = counted(request.words, asked, project, observed)
    untested = {i for i in project.catalogue.layer(Layer.CUSTOM) if not absent[i] and not declared[i]}
    fine = {v.name for v in verdicts if v.outcome is Outcome.PASSED} | untested
    return Report(
        passed=expected <= fine and bool(expected),
        started_at=started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        duration_ms=round((time.perf_counter() - began) * 1000),
        engine=project.engine.name,
        services=verdicts,
    )


def _declared(project: Project) -> dict[str, tuple[SmokeTest, ...]]:
    """The smoke tests of each service."""
    envs = project.settings.envs
    return {i: tuple(s.checks.smoke_tests(envs[i])) for i, s in project.catalogue.services.items()}


def _chosen(declared: Mapping[str, tuple[SmokeTest, ...]], asked: tuple[str, ...]) -> list[tuple[str, SmokeTest]]:
    """The tests of the services asked for; for a service without any, those of others that exercise it."""
    untested = {i for i in asked if not declared[i]}
    return [
        (i, test)
        for i, tests in declared.items()
        for test in tests
        if i in asked or services_exercised(test, i) & untested
    ]


def _absent(service: str, observed: Observed) -> str:
    """Why a service cannot be tested now; empty where it can."""
    return "" if observed.of(service).running else observed.why_not_running(service)


async def _run(
    owner: str, test: SmokeTest, ports: Mapping[str, Mapping[int, int]], timeout: float, project: Project
) -> tuple[Step, ...]:
    if isinstance(test, EphemeralContainer):
        steps = await _with_container(owner, test, ports, timeout, project)
    else:
        steps = await project.smoke_test_runner.run(owner, test, ports, timeout)
    for step in steps:
        kind = Kind.READY if step.ok else Kind.FAILED
        project.sink(Event(kind, f"{owner}: {step.name}", step.message or f"{step.ms} ms", step.since_ms / 1000))
    return steps


async def _with_container(
    owner: str, test: EphemeralContainer, ports: Mapping[str, Mapping[int, int]], timeout: float, project: Project
) -> tuple[Step, ...]:
    """The steps while the ephemeral container runs and after it is removed; none where the engine has no containers."""
    engine, began = project.engine, time.perf_counter()

    def start() -> bool:
        engine.remove_ephemeral()
        return engine.start_ephemeral(owner, test)

    def started(problem: str = "") -> Step:
        ms = round((time.perf_counter() - began) * 1000)
        return Step(owner=owner, service=owner, name=test.name, ok=not problem, ms=ms, since_ms=ms, message=problem)

    try:
        if not await asyncio.to_thread(start):
            return ()
        steps = (started(), *await project.smoke_test_runner.run(owner, test.while_running, ports, timeout))
    except ArcError as error:
        return (started(str(error)),)
    finally:
        await asyncio.to_thread(engine.remove_ephemeral)
    return (*steps, *await project.smoke_test_runner.run(owner, test.after_removal, ports, timeout))
