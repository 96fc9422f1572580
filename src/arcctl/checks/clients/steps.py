"""One run of a smoke test: its steps, the values it keeps, and its cleanup."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

from arcctl.model.names import LOOPBACK
from arcctl.model.smoke_test import Step

CLEANUP_SECONDS = 10.0
SHOWN = 200
"""Characters of a server's answer that a message shows."""


class StepFailed(Exception):
    """The message is for people."""


class Run:
    """One run of a smoke test."""

    def __init__(
        self,
        owner: str,
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str] = MappingProxyType({}),
        host: str = LOOPBACK,
    ) -> None:
        self.owner = owner
        self.host = host
        self.steps: list[Step] = []
        self.values = {
            "run": secrets.token_hex(4),
            "trace_id": secrets.token_hex(16),
            "span_id": secrets.token_hex(8),
            "now_ns": str(time.time_ns()),
            **values,
        }
        self._ports = ports
        self._began = time.monotonic()

    def port(self, container: int, at: str = "") -> int:
        """The published port of a service. Raises StepFailed where it does not run."""
        found = self._ports.get(at or self.owner, {}).get(container)
        if found is None:
            raise StepFailed(f"{at or self.owner} does not run")
        return found

    def place(self, container: int, at: str = "") -> tuple[str, int]:
        """Host and published port. Raises StepFailed as `port` does."""
        return self.host, self.port(container, at)

    @contextlib.asynccontextmanager
    async def step(self, name: str, at: str = "") -> AsyncIterator[None]:
        """Time a step; one that fails is noted and ends the smoke test."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # the reason may be any, and the cleanup has to follow
            raise_if_cancelled()
            self.note(name, str(error) or type(error).__name__, at, began)
            raise StepFailed(name) from None
        self.note(name, "", at, began)

    def note(self, name: str, problem: str, at: str = "", began: float = 0.0) -> None:
        """Add a finished step; `began` is a time of the monotonic clock, 0 for the start of the run."""
        now = time.monotonic()
        ms, since = round((now - (began or self._began)) * 1000), round((now - self._began) * 1000)
        service, ok, message = at or self.owner, not problem, short(problem)
        self.steps.append(
            Step(owner=self.owner, service=service, name=name, ok=ok, ms=ms, since_ms=since, message=message)
        )

    def filled(self, value: Any) -> Any:
        """A text, or the texts in lists and mappings, with this run's values in them."""
        match value:
            case str():
                for name, meaning in self.values.items():
                    value = value.replace(f"{{{name}}}", meaning)
                return value
            case Mapping():
                return {key: self.filled(item) for key, item in value.items()}
            case list() | tuple():
                return [self.filled(item) for item in value]
            case _:
                return value


@contextlib.asynccontextmanager
async def cleaned(work: Any) -> AsyncIterator[None]:
    """Clean up before, because an interrupted run may have left something, and always after."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(work(), CLEANUP_SECONDS)
    raise_if_cancelled()
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(asyncio.shield(work()), CLEANUP_SECONDS)


def raise_if_cancelled() -> None:
    """Raises CancelledError where a client turned the cancellation of this task into an error of its own."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError from None


def expect(found: str, expected: str) -> None:
    """Raises StepFailed where they differ."""
    if found != expected:
        raise StepFailed(f"expected {expected!r}, got {found!r}")


def short(text: str) -> str:
    """One line of at most SHOWN characters."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
