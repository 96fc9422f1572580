"""A command's own trace, off unless it is asked for: one span for the command, one for each thing it worked on."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from arcctl.app.world import World
from arcctl.core.events import Event, Kind
from arcctl.core.trace import Signal, otlp

T = TypeVar("T")
NAME = "arcctl"
OK, ERROR = 1, 2
"""Status codes of OpenTelemetry."""


@dataclass
class Recorder:
    """Remembers when each subject was first and last heard of."""

    began: int = field(default_factory=time.time_ns)
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, tuple[int, Event]] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        if event.subject:
            now = time.time_ns()
            self.first.setdefault(event.subject, now if event.kind is Kind.WORKING else self.began)
            self.last[event.subject] = (now, event)

    def document(self, command: str, trace_id: str, *, ok: bool) -> dict[str, Any]:
        """The trace as OTLP writes it in JSON."""
        root = _span(trace_id, command, self.began, time.time_ns(), ok=ok)
        spans = [root] + [
            _span(trace_id, name, self.first[name], end, ok=event.kind is not Kind.FAILED, parent=root["spanId"])
            | {"attributes": [{"key": "message", "value": {"stringValue": event.message}}]}
            for name, (end, event) in self.last.items()
        ]
        return otlp(NAME, "Spans", {"scope": {"name": NAME}, "spans": spans})


def _span(trace_id: str, name: str, begin: int, end: int, *, ok: bool, parent: str = "") -> dict[str, Any]:
    return {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "parentSpanId": parent,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(end),
        "status": {"code": OK if ok else ERROR},
    }


async def recorded(command: str, world: World, work: Callable[[World], Awaitable[T]], good: Callable[[T], bool]) -> T:
    """Do the work; where it was asked for, send a trace of it to the collector. What cannot be sent is only noted."""
    if not world.telemetry:
        return await work(world)
    recorder, ok = Recorder(), False

    def sink(event: Event) -> None:
        recorder.note(event)
        world.sink(event)

    try:
        result = await work(replace(world, sink=sink))
        ok = good(result)
        return result
    finally:
        await _send(recorder, command, world, ok=ok)


async def _send(recorder: Recorder, command: str, world: World, *, ok: bool) -> None:
    trace_id = secrets.token_hex(16)
    document = recorder.document(command, trace_id, ok=ok)
    intake = world.catalogue.with_signal(Signal.INTAKE)
    call = replace(intake.signals[Signal.INTAKE], json=document)
    observed = await asyncio.to_thread(world.engine.observe)
    step, _, _ = await world.prover.ask(intake.id, call, observed.published, {})
    sent = f"the trace of this command: arcctl trace {trace_id}"
    world.note(sent if step.ok else f"the trace of this command was not taken: {step.message}")
