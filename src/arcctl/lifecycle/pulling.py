"""Pulls images beside each other, and again after a while where a registry or the network failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from arcctl.engines.base import PullFailure, PullProgress
from arcctl.errors import EngineError
from arcctl.events import Event, Kind
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.image import registry_name
from arcctl.project import Project

WAITS = (2.0, 5.0, 10.0)
"""Seconds before the second attempt and each later one."""


async def pull(references: Iterable[str], project: Project, again: str) -> None:
    """Pull these images. Raises EngineError where one cannot be pulled, after the others; `again` is for its hint."""
    work = _Pull(project, tuple(references))
    for wait in WAITS:
        await work.attempt()
        if not work.failed or not all(failure.passing for _, failure in work.failed.values()):
            break
        await work.wait(wait)
    else:
        await work.attempt()
    if work.failed:
        raise work.error(again)


@dataclass
class _Pull:
    project: Project
    left: tuple[str, ...]
    failed: dict[str, tuple[PullProgress, PullFailure]] = field(default_factory=dict)
    """How far these came at the last attempt, and why no further."""
    _begun: set[str] = field(default_factory=set)
    _began: float = field(default_factory=time.monotonic)

    async def attempt(self) -> None:
        """Pull what is left."""
        self.failed = {}
        if not self.left:
            return
        async with aclosing(image_store(self.project).pull(self.left)) as values:
            async for progress in values:
                self._tell(progress)
                if progress.failure:
                    self.failed[progress.reference] = progress, progress.failure
        self.left = tuple(self.failed)

    async def wait(self, seconds: float) -> None:
        for progress, failure in self.failed.values():
            self._emit(Kind.WAITING, f"{failure.reason}; next attempt in {seconds:.0f} s", progress)
        await asyncio.sleep(seconds)

    def _tell(self, now: PullProgress) -> None:
        begun = now.reference in self._begun
        self._begun.add(now.reference)
        if now.failure:
            self._emit(Kind.FAILED, now.failure.reason, now, detail=now.failure.passing)
        elif now.pulled:
            self._emit(Kind.READY, "pulled", now)
        else:
            self._emit(Kind.PULLING, f"from {registry_name(now.reference)}", now, detail=begun)

    def _emit(self, kind: Kind, message: str, now: PullProgress, *, detail: bool = False) -> None:
        seconds = time.monotonic() - self._began
        self.project.sink(Event(kind, now.reference, message, seconds, detail, now.done, now.total))

    def error(self, again: str) -> EngineError:
        """The same reason once, with all images that failed of it; the hint of the first."""
        reasons: dict[str, list[str]] = {}
        for reference, (_, failure) in self.failed.items():
            reasons.setdefault(failure.reason, []).append(reference)
        text = "; ".join(f"{', '.join(references)}: {reason}" for reason, references in reasons.items())
        _, first = next(iter(self.failed.values()))
        return EngineError(f"cannot pull {text}", hint=f"{first.hint}, then {again}")
