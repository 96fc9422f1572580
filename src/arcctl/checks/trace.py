"""`trace`: follow one request through the collector and the trace, log and metric stores."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field, replace
from typing import TypeVar

from arcctl.checks.trace_report import Hop, Trace, alternatives, moments, read_lines, read_series, read_spans, said_by
from arcctl.errors import UnhealthyError
from arcctl.model.smoke_test import Call
from arcctl.model.telemetry import Signal
from arcctl.project import Project

T = TypeVar("T", bound=Sized)


@dataclass
class _Reader:
    """Reads one trace from the stores."""

    project: Project
    ports: Mapping[str, Mapping[int, int]]
    values: dict[str, str]
    new: bool
    """Whether the request is made now: every store has to get something of it."""
    wait: bool
    began: float = field(default_factory=time.monotonic)

    async def read(self, signal: Signal, reading: Callable[[str], T]) -> tuple[Hop, T]:
        """What the service that has this signal answers. That a store has nothing is no failure, unless it has to."""
        service = self.project.catalogue.with_signal(signal)
        call = service.telemetry.signals[signal]
        at_once = replace(call, expect="", patience=0.0)
        ok, message, body = await self._ask(service.id, call if self.wait else at_once)
        if not ok and self.wait and call.patience:
            ok, message, body = await self._ask(service.id, at_once)  # nothing is there, or it does not answer
        found = reading(body)
        missing = ok and self.new and not found
        ms = round((time.monotonic() - self.began) * 1000)
        message = f"not there after {call.patience:.0f} s" if missing else message
        hop = Hop(service=service.id, signal=signal, ok=ok and not missing, found=bool(found), ms=ms, message=message)
        return hop, found

    async def _ask(self, service: str, call: Call) -> tuple[bool, str, str]:
        step, body, values = await self.project.smoke_test_runner.ask(service, call, self.ports, self.values)
        self.values |= values
        return step.ok, step.message, body


async def trace(trace_id: str, project: Project, *, wait: bool) -> Trace:
    """Follow the request of this id, or a new one where it is empty; `wait` for what may still be on its way.

    Raises UnhealthyError where no request can be made, and where the trace store does not have the trace.
    """
    observed = await asyncio.to_thread(project.engine.observe)
    new = not trace_id
    reader = _Reader(project, observed.published, {"trace_id": trace_id} if trace_id else {}, new, wait or new)
    hops = []
    if new:
        work, _ = await reader.read(Signal.WORK, str)
        if not work.ok:
            raise _refused("no request could be made", work)
        reader.began = time.monotonic()
        hops.append(replace(work, ms=0))
    stored, spans = await reader.read(Signal.TRACE, read_spans)
    trace_id = reader.values["trace_id"]
    if not stored.ok:
        raise _refused(f"no trace {trace_id}", stored)
    if not spans:
        hint = "arcctl verify, which sends one" if wait else f"arcctl trace {trace_id} --wait"
        raise UnhealthyError(f"no trace {trace_id} in {stored.service}", hint=hint)
    start, end = moments(spans)
    reader.values |= {
        "services": alternatives(span.service for span in spans),
        "spans": alternatives(span.name for span in spans),
        "start_ns": str(start),
        "end_ns": str(end),
    }
    (logged, lines), (counted, series) = await asyncio.gather(
        reader.read(Signal.LOGS, read_lines), reader.read(Signal.METRICS, read_series)
    )
    return Trace(id=trace_id, spans=spans, lines=lines, series=series, hops=(*hops, stored, logged, counted))


def _refused(message: str, hop: Hop) -> UnhealthyError:
    why = said_by(hop.service, hop.message)
    return UnhealthyError(f"{message}: {why}", hint=f"arcctl health {hop.service}")
