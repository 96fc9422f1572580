"""One request: its spans as a tree with bars, its log lines, its metrics, and how long each store took to have it."""

from __future__ import annotations

import json
from dataclasses import asdict

from arcctl.core.trace import Span, Trace, tree
from arcctl.ui import terminal

WIDTH = 40
"""Columns of the longest bar."""


def show_json(trace: Trace) -> None:
    terminal.line(json.dumps({"schema": "arcctl.trace/v1", **asdict(trace)}, indent=2))


def show(trace: Trace) -> None:
    start = min(span.start_ns for span in trace.spans)
    total = max(span.start_ns + span.duration_ms * 1e6 for span in trace.spans) - start
    terminal.line(f"trace {trace.id}: {len(trace.spans)} spans, {total / 1e6:.1f} ms")
    rows = [(*_named(depth, span), _bar(span, start, total)) for depth, span in tree(trace.spans)]
    terminal.table(("SERVICE", "SPAN", "TOOK", ""), rows)
    terminal.line("\nlogs:" if trace.lines else "\nlogs: none")
    for line in trace.lines:
        terminal.line(f"  +{(line.time_ns - start) / 1e6:.1f} ms  {line.service} {line.level}: {line.text}")
    terminal.line("\nspans counted:" if trace.series else "\nspans counted: none yet")
    for series in trace.series:
        terminal.line(f"  {series.value:>8}  {', '.join(series.labels[name] for name in sorted(series.labels))}")
    terminal.line("\nhops:")
    for hop in trace.hops:
        terminal.line(
            f"  {'✔ ok' if hop.ok else '✘ bad'}  {hop.service} ({hop.signal}) after {hop.ms} ms {hop.message}".rstrip()
        )


def _named(depth: int, span: Span) -> tuple[str, str, str]:
    return span.service, "  " * depth + span.name + ("" if span.ok else " (error)"), f"{span.duration_ms:.1f} ms"


def _bar(span: Span, start: int, total: float) -> str:
    """The span's place in the time of the whole."""
    scale = WIDTH / (total or 1)
    return " " * round((span.start_ns - start) * scale) + "█" * max(1, round(span.duration_ms * 1e6 * scale))
