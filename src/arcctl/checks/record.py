"""Records a trace of a command, where asked for: a span for the command and one for each service it works on."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from arcctl.events import Event, Kind
from arcctl.model.telemetry import Signal, otlp
from arcctl.project import Project

T = TypeVar("T")
NAME = "arcctl"
OK, ERROR = 1, 2
"""Status codes of OpenTelemetry."""


@dataclass
class Recorder:
    """Keeps the first and the last event of each subject."""

    began: int = field(default_factory=time.time_ns)
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, tuple[int, Event]] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        if event.subject:
            now = time.time_ns()
            self.first.setdefault(event.subject, now if event.kind is Kind.WORKING else self.began)
            self.last[event.subject] = (now, event)

    def document(self, command: str, trace_id: str, project: str, *, ok: bool) -> dict[str, Any]:
        """The trace as OTLP in JSON, with the name of the project."""
        root = _span(trace_id, command, self.began, time.time_ns(), ok=ok)
        spans = [root] + [
            _span(trace_id, name, self.first[name], end, ok=event.kind is not Kind.FAILED, parent=root["spanId"])
            | {"attributes": [{"key": "message", "value": {"stringValue": event.message}}]}
            for name, (end, event) in self.last.items()
        ]
        return otlp(NAME, "Spans", {"scope": {"name": NAME}, "spans": spans}, project)


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


async def record(
    command: str,
    project: Project,
    work: Callable[[Project], Awaitable[T]],
    good: Callable[[T], bool],
    *,
    asked: bool,
) -> T:
    """Do the work; where `asked` for, send a trace of it to the collector. If that fails, it is only noted."""
    if not asked:
        return await work(project)
    recorder, ok = Recorder(), False

    def sink(event: Event) -> None:
        recorder.note(event)
        project.sink(event)

    try:
        result = await work(replace(project, sink=sink))
        ok = good(result)
        return result
    finally:
        await _send(recorder, command, project, ok=ok)


async def _send(recorder: Recorder, command: str, project: Project, *, ok: bool) -> None:
    trace_id = secrets.token_hex(16)
    document = recorder.document(command, trace_id, project.name, ok=ok)
    intake = project.catalogue.with_signal(Signal.INTAKE)
    call = replace(intake.telemetry.signals[Signal.INTAKE], json=document)
    observed = await asyncio.to_thread(project.engine.observe)
    step, _, _ = await project.smoke_test_runner.ask(intake.id, call, observed.published, {})
    sent = f"the trace of this command: arcctl trace {trace_id} --wait"
    project.note(sent if step.ok else f"the trace of this command could not be sent to {intake.id}: {step.message}")
