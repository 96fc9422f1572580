"""One proof being carried out: its steps, the values that it took, and what is removed again."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

from arcctl.core.proof import Step

CLEANUP_SECONDS = 10.0
SHOWN = 200
"""Characters of a server's words that a message shows."""


class Broken(Exception):
    """A step that did not hold; the message is for people."""


class Run:
    """One proof being carried out."""

    def __init__(
        self, owner: str, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.owner = owner
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
        """The published port of a service. Raises Broken where it does not run."""
        found = self._ports.get(at or self.owner, {}).get(container)
        if found is None:
            raise Broken(f"{at or self.owner} does not run")
        return found

    @contextlib.asynccontextmanager
    async def step(self, name: str, at: str = "") -> AsyncIterator[None]:
        """Time a step; one that fails is noted and ends the proof."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # whatever went wrong is the reason, and cleaning up must go on
            self.note(name, str(error) or type(error).__name__, at, began)
            raise Broken(name) from None
        self.note(name, "", at, began)

    def note(self, name: str, problem: str, at: str = "", began: float = 0.0) -> None:
        """Keep what came of a step; `began` is on the monotonic clock, 0 for the start of the proof."""
        now = time.monotonic()
        ms, since = round((now - (began or self._began)) * 1000), round((now - self._began) * 1000)
        self.steps.append(
            Step(
                owner=self.owner,
                service=at or self.owner,
                name=name,
                ok=not problem,
                ms=ms,
                since_ms=since,
                message=short(problem),
            )
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
    """Clean up before, because an interrupted run may have left something, and after, whatever happened."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(work(), CLEANUP_SECONDS)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(asyncio.shield(work()), CLEANUP_SECONDS)


def same(found: str, expected: str) -> None:
    """Raises Broken where they differ."""
    if found != expected:
        raise Broken(f"expected {expected!r}, got {found!r}")


def short(text: str) -> str:
    """One line that is not too long."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
