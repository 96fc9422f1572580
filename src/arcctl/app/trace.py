"""`trace`: one request followed through the whole telemetry path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from arcctl.app.world import World
from arcctl.core.trace import Hop, Signal, Trace, alternatives, read_lines, read_series, read_spans
from arcctl.errors import UnhealthyError


@dataclass
class Following:
    """A trace being read from one store after the other."""

    world: World
    ports: Mapping[str, Mapping[int, int]]
    values: dict[str, str] = field(default_factory=dict)
    hops: list[Hop] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    async def ask(self, signal: Signal) -> str:
        """The body with which the service that has this signal answers; empty where it does not have the trace."""
        service = self.world.catalogue.with_signal(signal)
        step, body, values = await self.world.prover.ask(service.id, service.signals[signal], self.ports, self.values)
        self.values = dict(values)
        if signal is Signal.WORK:
            self._began = time.monotonic()
        ms = round((time.monotonic() - self._began) * 1000)
        self.hops.append(Hop(service=service.id, signal=signal, ok=step.ok, ms=ms, message=step.message))
        return body


async def run(trace_id: str, world: World) -> Trace:
    """Follow the request of this id, or a new one where it is empty.

    Raises UnhealthyError for a request that cannot be made and for a trace that is not in the trace store.
    """
    observed = await asyncio.to_thread(world.engine.observe)
    following = Following(world, observed.published, {"trace_id": trace_id} if trace_id else {})
    if not trace_id:
        await following.ask(Signal.WORK)
        _must(following, "no request could be made")
    spans = read_spans(await following.ask(Signal.TRACE))
    _must(following, f"no trace {following.values['trace_id']}")
    following.values["services"] = alternatives(span.service for span in spans)
    following.values["spans"] = alternatives(span.name for span in spans)
    return Trace(
        lines=read_lines(await following.ask(Signal.LOGS)),
        series=read_series(await following.ask(Signal.METRICS)),
        id=following.values["trace_id"],
        spans=spans,
        hops=tuple(following.hops),
    )


def _must(following: Following, what: str) -> None:
    last = following.hops[-1]
    if not last.ok:
        raise UnhealthyError(f"{what}: {last.service}: {last.message}", hint=f"arcctl health {last.service}")
