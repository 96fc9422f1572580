"""Executes a plan: starts what may start, asks what should answer, until all is ready or time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from arcctl.app.world import World, targets
from arcctl.core.events import Event, Kind
from arcctl.core.model import Helper
from arcctl.core.observed import Observed
from arcctl.core.plan import Action, Plan, Step
from arcctl.core.probe import Answer
from arcctl.core.settings import Settings

PAUSE = 0.2
"""Seconds between two looks."""
ATTEMPT = 2.0
"""Seconds that one probe may take."""
MAKING = (Action.CREATE, Action.RECREATE)
CRASHES = 3
"""Restarts within one `up` after which a container is given up."""


@dataclass(frozen=True)
class Outcome:
    ready: tuple[str, ...]
    failed: dict[str, str]
    """Services that will not come up, with the reason."""
    waiting: dict[str, str]
    """Services that did not answer in time, with the last reason."""
    seconds: float
    doubles: tuple[str, ...] = ()
    """Containers that are contract doubles and not the real servers."""


@dataclass
class Launch:
    plan: Plan
    world: World
    settings: Settings
    made_from: dict[str, str]
    """The hash of what each container is made from, remembered when it was made."""
    _ready: set[str] = field(default_factory=set)
    _failed: dict[str, str] = field(default_factory=dict)
    _started: set[str] = field(default_factory=set)
    _reasons: dict[str, str] = field(default_factory=dict)
    _restarts: dict[str, int] = field(default_factory=dict)
    _doubles: set[str] = field(default_factory=set)
    _began: float = field(default_factory=time.monotonic)

    async def run(self, *, wait: bool, timeout: float) -> Outcome:
        """Every container ends as ready, failed (with what stands on it) or waiting."""
        await asyncio.to_thread(self._fetch_images)
        self._began = time.monotonic()
        while self._elapsed() < timeout:
            await self._start_next()
            await self._look()
            if self._settled() or not (wait or self._unstarted()):
                break
            await asyncio.sleep(PAUSE)
        return self._outcome()

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _emit(self, kind: Kind, key: str, message: str) -> None:
        self.world.sink(Event(kind, key, message, self._elapsed()))

    def _fetch_images(self) -> None:
        """Pull or build what the engine does not have, one after the other, with the engine's own words."""
        containers = self.world.catalogue.containers(self.plan.services)
        missing = set(self.plan.missing_images)
        for key in (step.key for step in self.plan.changes):
            container = containers[key]
            if container.image in missing:
                missing.remove(container.image)
                for number, line in enumerate(self.world.engine.fetch(key)):
                    self._emit(Kind.WAITING if number else Kind.WORKING, key, line)

    async def _start_next(self) -> None:
        """Start all whose needs are ready, in one call."""
        steps = [s for s in self._unstarted() if self.plan.needs[s.key] <= self._ready]
        for step in steps:
            self._started.add(step.key)
            if step.action is not Action.KEEP:
                self._emit(Kind.WORKING, step.key, f"{step.action}: {step.cause}")
        made = {s.key: self.made_from[s.key] for s in steps if s.action in MAKING and s.key in self.made_from}
        # An interrupt from here on leaves "unknown", and the next `up` makes the container anew.
        self._remember(dict.fromkeys(made, ""))
        for keys, work in self._calls(steps):
            if keys:
                await _to_its_end(work, keys)
        self._remember(made)

    def _remember(self, made: dict[str, str]) -> None:
        if made:
            self.world.home.remember_inputs(made)

    def _calls(self, steps: list[Step]) -> list[tuple[list[str], Callable[[list[str]], None]]]:
        """One call of the engine for each kind of step."""
        engine = self.world.engine
        kinds: list[tuple[set[Action], Callable[[list[str]], None]]] = [
            ({Action.UNPAUSE}, engine.unpause),
            ({Action.CREATE, Action.START}, engine.start),
            ({Action.RECREATE}, partial(engine.start, recreate=True)),
        ]
        return [([s.key for s in steps if s.action in actions], work) for actions, work in kinds]

    def _unstarted(self) -> list[Step]:
        done = self._started | set(self._failed)
        return [s for s in self.plan.steps if s.key not in done]

    async def _look(self) -> None:
        """One observation and one round of probes over what was started and is not ready."""
        open_keys = self._started - self._ready - set(self._failed)
        if not open_keys:
            return
        observed = await asyncio.to_thread(self.world.engine.observe)
        services = tuple(k for k in self.plan.services if k in open_keys)
        asked = targets(self.world, observed, self.settings, services)
        answers = await self.world.prober.ask(asked, ATTEMPT)
        for key in sorted(open_keys):
            self._settle(key, observed, answers.get(key))
        self._fail_dependants()

    def _settle(self, key: str, observed: Observed, answer: Answer | None) -> None:
        container = self.world.catalogue.containers(self.plan.services)[key]
        now = observed.of(key)
        self._doubles |= {key} if now.double else set()
        if isinstance(container, Helper):
            ok = now.state == "exited" and now.exit_code == 0 if container.one_shot else now.running
            reason = f"is {now.state}" + (f" with exit code {now.exit_code}" if now.state == "exited" else "")
        else:
            ok = answer.ok if answer else now.health == "healthy"
            reason = answer.reason if answer and now.running else f"container is {now.state}"
        if ok:
            self._ready.add(key)
            self._emit(Kind.READY, key, reason)
        elif now.state == "exited" and now.exit_code and isinstance(container, Helper) and container.one_shot:
            self._fail(key, reason)
        elif now.state == "dead":
            self._fail(key, "crashes again and again; its log says why")
        elif now.restarts - self._restarts.setdefault(key, now.restarts) >= CRASHES:
            self._fail(key, f"crashed {CRASHES} times, last exit code {now.exit_code}")
        else:
            self._wait(key, reason)

    def _wait(self, key: str, reason: str) -> None:
        if self._reasons.get(key) != reason:
            self._reasons[key] = reason
            self._emit(Kind.WAITING, key, reason)

    def _fail(self, key: str, reason: str) -> None:
        self._failed[key] = reason
        self._emit(Kind.FAILED, key, reason)

    def _fail_dependants(self) -> None:
        for step in self._unstarted():
            broken = sorted(self.plan.needs[step.key] & set(self._failed))
            if broken:
                self._fail(step.key, f"needs {broken[0]}")

    def _settled(self) -> bool:
        return len(self._ready) + len(self._failed) == len(self.plan.steps)

    def _outcome(self) -> Outcome:
        left = [s.key for s in self.plan.steps if s.key not in self._ready and s.key not in self._failed]
        waiting = {key: self._reasons.get(key, "not started yet") for key in left}
        return Outcome(
            tuple(sorted(self._ready)), dict(self._failed), waiting, self._elapsed(), tuple(sorted(self._doubles))
        )


async def _to_its_end(work: Callable[[list[str]], None], keys: list[str]) -> None:
    """An interrupt waits for the engine's answer: clean-up would meet containers that are still coming."""
    call = asyncio.create_task(asyncio.to_thread(work, keys))
    try:
        await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.gather(call, return_exceptions=True)
        raise
