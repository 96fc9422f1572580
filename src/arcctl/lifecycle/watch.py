"""What `up` learns while it waits: each server is asked on its own clock, containers are looked at after a change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from arcctl.engines.base import Observed
from arcctl.model.probe import Answer
from arcctl.project import Project, targets

PAUSE = 0.2
"""Seconds between two probes of one server."""
ATTEMPT = 2.0
"""Seconds that one probe may take."""
AT_ONCE = 0.1
"""Seconds between two looks at the containers: changes of one moment are seen together."""
LOOK_SECONDS = 2.0
"""Longest time between two looks at the containers, where the engine says nothing of a change."""


@dataclass
class Watch:
    """The newest answers and states. What was started, and not looked at since, is in `unseen`."""

    project: Project
    changed: asyncio.Event
    """Set by the engine when something may be different."""
    observed: Observed
    answers: dict[str, Answer | None] = field(default_factory=dict)
    """None for a server that cannot be asked from here: it does not run, or has no published port."""
    unseen: set[str] = field(default_factory=set)
    _probes: dict[str, asyncio.Task[Answer | None]] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _look: asyncio.Task[Observed] | None = None
    _looked_at: float = field(default_factory=time.monotonic)

    def forget(self, keys: Iterable[str]) -> None:
        """What is known of these is from before they were started."""
        keys = set(keys)
        self.unseen |= keys
        for key in keys:
            self.answers.pop(key, None)
            if probe := self._probes.pop(key, None):
                probe.cancel()
        if self._look:
            self._look.cancel()
            self._look = None
        self.changed.set()

    async def news(self, servers: Iterable[str], *, starting: bool = False) -> bool:
        """Wait until a server has answered, a look has ended, or a moment has passed; whether it was a look.

        While the engine starts containers, a change is looked at when it has started them: see `forget`.
        """
        self._ask(servers)
        if starting and not self.unseen:
            self.changed.clear()
        since = time.monotonic() - self._looked_at
        if self._look is None and (since > LOOK_SECONDS or (self.changed.is_set() and since > AT_ONCE)):
            self.changed.clear()
            self._look = asyncio.create_task(self._observe())
        next_event: asyncio.Task[Any] = self._look or asyncio.create_task(self._change())
        await asyncio.wait({*self._probes.values(), next_event}, timeout=PAUSE, return_when=asyncio.FIRST_COMPLETED)
        if next_event is not self._look:
            next_event.cancel()
        self._take_answers()
        return self._take_look()

    def _ask(self, servers: Iterable[str]) -> None:
        now = time.monotonic()
        for key in servers:
            if key not in self._probes and key not in self.unseen and self._due.get(key, 0) <= now:
                self._probes[key] = asyncio.create_task(self._answer(key))

    async def _answer(self, key: str) -> Answer | None:
        target = targets(self.project, self.observed, (key,))
        return (await self.project.prober.ask(target, ATTEMPT)).get(key) if target else None

    async def _change(self) -> None:
        await self.changed.wait()
        await asyncio.sleep(max(0.0, self._looked_at + AT_ONCE - time.monotonic()))

    async def _observe(self) -> Observed:
        return await asyncio.to_thread(self.project.engine.observe)

    def _take_answers(self) -> None:
        for key in [key for key, probe in self._probes.items() if probe.done()]:
            self.answers[key] = self._probes.pop(key).result()
            self._due[key] = time.monotonic() + PAUSE

    def _take_look(self) -> bool:
        if self._look is None or not self._look.done():
            return False
        self.observed, self._look, self._looked_at = self._look.result(), None, time.monotonic()
        self.unseen.clear()
        return True

    async def close(self) -> None:
        tasks = [*self._probes.values(), *filter(None, (self._look,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
