"""Executes a plan: starts each container when what it depends on is ready, and waits until all are, or time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from arcctl.engines.base import ABSENT, ContainerState, Observed
from arcctl.events import Event, Kind
from arcctl.lifecycle import pulling
from arcctl.lifecycle.plan import Action, Plan, Step
from arcctl.lifecycle.report import Outcome
from arcctl.lifecycle.watch import Watch
from arcctl.model.graph import built_images
from arcctl.model.probe import Answer
from arcctl.model.service import Role
from arcctl.project import Project

PATIENCE = 10.0
"""Seconds after which a server that ran before this `up`, and is not ready, gets help; once."""
CRASHES = 3
"""Restarts within one `up`, by the engine or by `up`, after which a container has failed."""
DOING = {
    Action.CREATE: "creating",
    Action.RECREATE: "recreating",
    Action.START: "starting",
    Action.UNPAUSE: "unpausing",
}


@dataclass
class PlanExecutor:
    plan: Plan
    project: Project
    input_hashes: dict[str, str]
    """The hash of what each container is created from; remembered once it is created."""
    observed: Observed = field(default_factory=lambda: Observed({}))
    """What the plan was decided on."""
    _started: set[str] = field(default_factory=set)
    _ready: set[str] = field(default_factory=set)
    _failed: dict[str, str] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)
    """Why a container was not ready at the last attempt."""
    _restarts: dict[str, int] = field(default_factory=dict)
    """How often the engine had restarted a container when it was first seen."""
    _stops: dict[str, int] = field(default_factory=dict)
    """How often a container that should run was seen stopped."""
    _unready: dict[str, float] = field(default_factory=dict)
    """Since when a server that is kept is not ready."""
    _set_up_again: set[str] = field(default_factory=set)
    """Servers whose init containers were run again."""
    _restarted: set[str] = field(default_factory=set)
    _starting: asyncio.Task[None] | None = None
    _moving: frozenset[str] = frozenset()
    """What that task starts."""
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._containers = self.project.catalogue.components()
        self._known_starts = self.project.directory.started_at()

    async def run(self, *, wait: bool, timeout: float) -> Outcome:
        """Every container ends as ready, failed (with what depends on it) or waiting."""
        await self._fetch_images()
        self._began = time.monotonic()
        async with self.project.engine.changes() as changed:
            self._watch = Watch(self.project, changed, self.observed)
            self._remember_times({step.key for step in self.plan.steps if step.action is Action.KEEP})
            try:
                await self._create()
                await self._work(wait=wait, timeout=timeout)
                await self._end_of_start()
            finally:
                await asyncio.gather(*filter(None, (self._starting,)), return_exceptions=True)
                await self._watch.close()
        return self._outcome()

    async def _work(self, *, wait: bool, timeout: float) -> None:
        while self._elapsed() < timeout:
            await self._start_next()
            waiting = self._waiting()
            if not (waiting or self._unstarted()) or (not wait and waiting <= self._reasons.keys()):
                break
            await self._look()

    def _waiting(self) -> set[str]:
        """What was started and is not ready."""
        return self._started - self._ready - self._failed.keys()

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _emit(self, kind: Kind, key: str, message: str, *, detail: bool = False) -> None:
        self.project.sink(Event(kind, key, message, self._elapsed(), detail))

    async def _fetch_images(self) -> None:
        """Pull what the engine does not have, all at once; then build the others, one after the other."""
        changed = {step.key: self._containers[step.key].container.image for step in self.plan.changes}
        missing = {image: key for key, image in reversed(changed.items()) if image in self.plan.missing_images}
        pulled = missing.keys() - built_images(self.project.catalogue) if self.project.engine.image_store else set()
        await pulling.pull(sorted(pulled), self.project, "arcctl up")
        for image, key in reversed(missing.items()):
            if image not in pulled:
                await asyncio.to_thread(self._build, key)

    def _build(self, key: str) -> None:
        """In the engine's own words."""
        for number, line in enumerate(self.project.engine.fetch(key)):
            detail = number > 0 or self._containers[key].role is not Role.SERVER
            self._emit(Kind.WORKING, key, line, detail=detail)

    async def _create(self) -> None:
        """Create all containers at once, before the first is started."""
        steps = [step for step in self.plan.steps if step.action in (Action.CREATE, Action.RECREATE)]
        for step in steps:
            self._emit(Kind.WORKING, step.key, f"{DOING[step.action]}: {step.cause}", detail=True)
        keys = {step.key for step in steps} & self.input_hashes.keys()
        # An interrupt from here on leaves "unknown", and the next `up` recreates the container.
        self._remember(dict.fromkeys(keys, ""))
        create = self.project.engine.create
        await _call(create, [s.key for s in steps if s.action is Action.CREATE])
        await _call(partial(create, recreate=True), [s.key for s in steps if s.action is Action.RECREATE])
        self._remember({key: self.input_hashes[key] for key in keys})

    async def _start_next(self) -> None:
        """Begin to start all whose dependencies are ready; what gets ready meanwhile is started by the next call."""
        if self._starting and not self._starting.done():
            return
        await self._end_of_start()
        steps = [s for s in self._unstarted() if self.plan.needs[s.key] <= self._ready]
        for step in steps:
            self._started.add(step.key)
            if step.action in (Action.START, Action.UNPAUSE):
                self._emit(Kind.WORKING, step.key, f"{DOING[step.action]}: {step.cause}", detail=True)
        moved = [step for step in steps if step.action is not Action.KEEP]
        if moved:
            self._moving = frozenset(step.key for step in moved)
            self._starting = asyncio.create_task(self._start(moved))

    async def _start(self, steps: list[Step]) -> None:
        """With one call of the engine for each kind of step."""
        await self._change(self.project.engine.unpause, [s.key for s in steps if s.action is Action.UNPAUSE])
        await self._change(self.project.engine.start, [s.key for s in steps if s.action is not Action.UNPAUSE])

    async def _end_of_start(self) -> None:
        """Raises what the engine refused."""
        if self._starting:
            await self._starting
        self._starting, self._moving = None, frozenset()

    async def _change(self, work: Callable[[list[str]], None], keys: list[str]) -> None:
        await _call(work, keys)
        if keys:
            self._watch.forget(keys)

    def _remember(self, hashes: dict[str, str]) -> None:
        if hashes:
            self.project.directory.remember_input_hashes(hashes)

    def _remember_times(self, keys: set[str]) -> None:
        """When these were started, so that `health` misses those that are removed by somebody else."""
        known = self.project.directory.started_at()
        times = {key: self._watch.observed.of(key).started_at for key in keys}
        new = {key: time for key, time in times.items() if time and known.get(key) != time}
        if new:
            self.project.directory.remember_started_at({**known, **new})

    def _unstarted(self) -> list[Step]:
        return [s for s in self.plan.steps if s.key not in self._started and s.key not in self._failed]

    async def _look(self) -> None:
        """Wait for the next answer or change, and judge what was started and is not ready."""
        waiting = self._waiting() - self._moving
        if await self._watch.news((i for i in self.plan.services if i in waiting), starting=bool(self._moving)):
            self._remember_times(waiting)
        seen = sorted(
            key for key in waiting - self._watch.unseen if key in self._watch.answers or not self._is_server(key)
        )
        for key in seen:
            self._update_state(key, self._watch.observed.of(key), self._watch.answers.get(key))
        await self._start_stopped([key for key in seen if key in self._waiting() - self._moving])
        await self._help({key: answer for key, answer in self._watch.answers.items() if answer})
        for step in self._unstarted():
            failed = sorted(self.plan.needs[step.key] & set(self._failed))
            if failed:
                self._fail(step.key, f"depends on {failed[0]}, which failed")

    def _is_server(self, key: str) -> bool:
        return self._containers[key].role is Role.SERVER

    def _update_state(self, key: str, now: ContainerState, answer: Answer | None) -> None:
        role = self._containers[key].role
        ready, reason = _readiness(role, now, answer)
        restarts = now.restarts - self._restarts.setdefault(key, now.restarts)
        if ready:
            self._ready.add(key)
            self._emit(Kind.READY, key, reason, detail=role is not Role.SERVER)
        elif role is Role.INIT and now.state == "exited" and now.exit_code:
            self._fail(key, reason)
        elif now.state == "dead":
            self._fail(key, "keeps crashing")
        elif restarts >= CRASHES:
            self._fail(key, f"crashed {CRASHES} times{now.last_exit}")
        elif self._reasons.get(key) != reason:
            self._reasons[key] = reason
            self._emit(Kind.WAITING, key, reason, detail=True)

    async def _start_stopped(self, keys: list[str]) -> None:
        """Start what stopped or was removed meanwhile: the engine may still have carried out an earlier command."""
        stopped = [
            key
            for key in keys
            if self._watch.observed.of(key).state in ("exited", ABSENT) and self._containers[key].role is not Role.INIT
        ]
        for key in stopped:
            self._stops[key] = self._stops.get(key, 0) + 1
            if self._stops[key] > CRASHES:
                self._fail(key, f"stopped {self._stops[key]} times{self._watch.observed.of(key).last_exit}")
            else:
                self._emit(Kind.WORKING, key, "starting: it stopped", detail=True)
        await self._change(self.project.engine.start, [key for key in stopped if key not in self._failed])

    async def _help(self, answers: Mapping[str, Answer]) -> None:
        """What ran before this `up` and does not get ready by itself.

        Its init containers run again: they give it its database and its login. What answers nobody is restarted.
        """
        now, waiting = self._elapsed(), self._waiting()
        kept = sorted(step.key for step in self.plan.steps if step.action is Action.KEEP and step.key in waiting)
        self._unready = {key: self._unready.get(key, now) for key in kept}
        late = {key for key, since in self._unready.items() if now - since >= PATIENCE}
        crashed = {key for key in kept if self._watch.observed.of(key).crashed}
        for key in sorted((late | crashed) - self._set_up_again):
            self._set_up_again.add(key)
            self._run_again(self._init_containers(key))
        silent = {key for key in late if key in answers and answers[key].timed_out and self._ran_before(key)}
        for key in sorted(silent - self._restarted):
            self._emit(Kind.WORKING, key, f"restarting: {answers[key].reason}", detail=True)
        await self._change(self.project.engine.restart, sorted(silent - self._restarted))
        self._restarted |= silent

    def _ran_before(self, key: str) -> bool:
        """Whether an earlier `up` saw this start of it: what was started just now only needs time."""
        return self._watch.observed.of(key).started_at == self._known_starts.get(key)

    def _init_containers(self, key: str) -> frozenset[str]:
        """Those that a server waits for; none of another component."""
        service = self.project.catalogue.services.get(key)
        components = service.components if service else ()
        return frozenset(c.id for c in components if c.role is Role.INIT and not c.after_server)

    def _run_again(self, keys: frozenset[str]) -> None:
        """As if they had not been started: in their order, and with what depends on one that fails."""
        self._ready -= keys
        self._started -= keys
        again = {key: Step(key, Action.START, "its service is not ready") for key in keys}
        self.plan = replace(self.plan, steps=tuple(again.get(step.key, step) for step in self.plan.steps))

    def _fail(self, key: str, reason: str) -> None:
        self._failed[key] = reason
        self._emit(Kind.FAILED, key, reason)

    def _outcome(self) -> Outcome:
        left = [s.key for s in self.plan.steps if s.key not in self._ready and s.key not in self._failed]
        return Outcome(
            ready=tuple(sorted(self._ready)),
            failed=dict(self._failed),
            waiting={key: self._reasons.get(key, "not started yet") for key in left},
            seconds=self._elapsed(),
            stubs=tuple(sorted(key for key in self._started if self._watch.observed.of(key).stub)),
            observed=self._watch.observed,
        )


def _readiness(role: Role, now: ContainerState, answer: Answer | None) -> tuple[bool, str]:
    """Whether a container is ready, and what says so."""
    if role is Role.SERVER:
        reason = answer.reason if answer and now.running else str(now)
        return now.running and (answer.ok if answer else now.health == "healthy"), reason
    if now.state != "exited":
        return role is Role.SIDECAR and now.running, now.state
    finished = role is Role.INIT and not now.exit_code
    return finished, "finished" if finished else f"exited with code {now.exit_code}"


async def _call(work: Callable[[list[str]], None], keys: list[str]) -> None:
    """An interrupt waits for the engine's answer: clean-up would meet containers that are still being created."""
    if not keys:
        return
    call = asyncio.create_task(asyncio.to_thread(work, keys))
    try:
        await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.gather(call, return_exceptions=True)
        raise
