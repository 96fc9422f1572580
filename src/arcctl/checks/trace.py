"""`trace`: follow one request through the collector and the trace, log and metric stores."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from arcctl.checks.trace_report import Hop, Trace, alternatives, read_lines, read_series, read_spans
from arcctl.errors import UnhealthyError
from arcctl.model.telemetry import Signal
from arcctl.project import Project


@dataclass
class _Reader:
    """Reads one trace from one store after the other."""

    project: Project
    ports: Mapping[str, Mapping[int, int]]
    values: dict[str, str] = field(default_factory=dict)
    hops: list[Hop] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    async def ask(self, signal: Signal) -> str:
        """The answer of the service that has this signal; empty where it does not have the trace."""
        service = self.project.catalogue.with_signal(signal)
        step, body, values = await self.project.smoke_test_runner.ask(
            service.id, service.telemetry.signals[signal], self.ports, self.values
        )
        self.values = dict(values)
        if signal is Signal.WORK:
            self._began = time.monotonic()
        ms = round((time.monotonic() - self._began) * 1000)
        self.hops.append(Hop(service=service.id, signal=signal, ok=step.ok, ms=ms, message=step.message))
        return body

    def require(self, otherwise: str) -> None:
        """Raises UnhealthyError where the last answer was none."""
        last = self.hops[-1]
        if not last.ok:
            raise UnhealthyError(f"{otherwise}: {last.service}: {last.message}", hint=f"arcctl health {last.service}")


async def trace(trace_id: str, project: Project) -> Trace:
    """Follow the request of this id, or a new one where it is empty.

    Raises UnhealthyError where no request can be made, and where the trace store does not have the trace.
    """
    observed = await asyncio.to_thread(project.engine.observe)
    reader = _Reader(project, observed.published, {"trace_id": trace_id} if trace_id else {})
    if not trace_id:
        await reader.ask(Signal.WORK)
        reader.require("no request could be made")
    spans = read_spans(await reader.ask(Signal.TRACE))
    reader.require(f"no trace {reader.values['trace_id']}")
    reader.values["services"] = alternatives(span.service for span in spans)
    reader.values["spans"] = alternatives(span.name for span in spans)
    return Trace(
        lines=read_lines(await reader.ask(Signal.LOGS)),
        series=read_series(await reader.ask(Signal.METRICS)),
        id=reader.values["trace_id"],
        spans=spans,
        hops=tuple(reader.hops),
    )
