"""`bootstrap`: checks the resources that services need before they can be used, and creates those that are missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from arcctl.engines.base import Observed
from arcctl.events import Event, Kind
from arcctl.lifecycle.report import BootstrapReport
from arcctl.model.env import variables
from arcctl.model.graph import resolve
from arcctl.model.resource import Resource, ResourceResult, State
from arcctl.model.smoke_test import SmokeTest
from arcctl.project import Project, project_lock, refuse_other_project

COMPLETE = {State.EXISTS, State.CREATED}
TIMEOUT = 100.0
"""Seconds that one check or one creation may take."""


@dataclass(frozen=True)
class Request:
    words: tuple[str, ...] = ()
    check: bool = False
    """Check only; create nothing."""


async def bootstrap(request: Request, project: Project) -> BootstrapReport:
    """Raises EngineError and SettingsError; what a server refuses is in the report."""
    if request.check:
        return await _report(request, project)
    with await project_lock(project):
        return await _report(request, project)


async def _report(request: Request, project: Project) -> BootstrapReport:
    began = time.perf_counter()
    asked = resolve(request.words or ("all",), project.catalogue)
    observed = await asyncio.to_thread(project.engine.observe)
    if not request.check:
        refuse_other_project(observed, project)
    running = tuple(i for i in asked if observed.of(i).running)
    found = await set_up(running, project, observed, create=not request.check)
    skipped = tuple(
        ResourceResult(service=i, resource="all", state=State.SKIPPED, reason=observed.why_not_running(i))
        for i in asked
        if i not in running and _resources(i, project)
    )
    return BootstrapReport(
        passed=all(f.state in COMPLETE for f in found) and set(running) >= set(request.words) & set(asked),
        engine=project.engine.name,
        duration_ms=round((time.perf_counter() - began) * 1000),
        resources=tuple(sorted((*found, *skipped), key=lambda f: f.service)),
    )


def _resources(service: str, project: Project) -> tuple[Resource, ...]:
    return project.catalogue.services[service].setup.resources(project.settings.envs[service])


async def set_up(
    services: tuple[str, ...],
    project: Project,
    observed: Observed,
    *,
    create: bool,
    since: float = 0.0,
    detail: bool = False,
) -> tuple[ResourceResult, ...]:
    """All services at once, the resources of each in order; remembers which services have all of theirs.

    `since` is how many seconds the command ran before; `detail` makes what is created a detail of its events.
    """
    began = time.monotonic() - since
    setups = [ServiceSetUp(project, i, observed.published, create, began, detail) for i in services]
    found = await asyncio.gather(*(setup.run(_resources(setup.service, project)) for setup in setups))
    complete = {i for i, results in zip(services, found, strict=True) if {f.state for f in results} <= COMPLETE}
    if create:
        project.directory.remember_bootstrapped(project.directory.bootstrapped() - set(services) | complete)
    return tuple(result for results in found for result in results)


@dataclass
class ServiceSetUp:
    """Checks and creates the resources of one service."""

    project: Project
    service: str
    ports: Mapping[str, Mapping[int, int]]
    create: bool
    began: float
    """On the monotonic clock."""
    detail: bool = False
    """Whether the events about resources that are created are details."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the server issued, by field of the service's settings."""

    async def run(self, resources: tuple[Resource, ...]) -> tuple[ResourceResult, ...]:
        """Stops at the first resource that cannot be created: later ones build on it."""
        declared = variables(self.project.catalogue.services[self.service].env)
        names = {v.field: v.name for v in declared if v.server_issued}
        self.values = {f: self.project.settings.values[name].text or "" for f, name in names.items()}
        found: list[ResourceResult] = []
        for resource in resources:
            before, began = self.values, time.monotonic()
            state, reason, hint = await self._state(resource)
            issued = {name: self.values[f] for f, name in names.items() if self.values[f] != before[f]}
            if issued:
                self.project.directory.keep_secrets(issued)
            found.append(
                ResourceResult(
                    service=self.service,
                    resource=resource.name,
                    state=state,
                    ms=round((time.monotonic() - began) * 1000),
                    reason=reason,
                    hint=hint,
                )
            )
            if state is State.REFUSED:
                break
        return tuple(found)

    async def _state(self, resource: Resource) -> tuple[State, str, str]:
        """With the reason and a hint, where it does not exist."""
        missing = await self._attempt(resource.check)
        if not missing:
            return State.EXISTS, "", ""
        if resource.absent not in missing:
            hint = f"in a few minutes: arcctl bootstrap {self.service}"
            self._emit(Kind.WARNING, f"{resource.name} could not be checked: {missing} ({hint})")
            return State.REFUSED, missing, hint
        if not self.create:
            return State.MISSING, missing, ""
        if resource.create:
            self._emit(Kind.WORKING, f"creating {resource.name}", detail=True)
            missing = await self._attempt(*resource.create)
        if missing:
            self._emit(Kind.WARNING, f"{resource.name} could not be created: {missing} ({resource.hint})")
            return State.REFUSED, missing, resource.hint
        self._emit(Kind.READY, f"created {resource.name}", detail=self.detail)
        return State.CREATED, "", ""

    async def _attempt(self, *smoke_tests: SmokeTest) -> str:
        problem, self.values = await self.project.smoke_test_runner.attempt(
            self.service, smoke_tests, self.ports, self.values, TIMEOUT
        )
        return problem

    def _emit(self, kind: Kind, text: str, *, detail: bool = False) -> None:
        self.project.sink(Event(kind, self.service, text, time.monotonic() - self.began, detail))
