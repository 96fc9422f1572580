"""Reports of `doctor` and `top`: tables and JSON."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from arcctl.diagnostics.diagnosis import Report, State
from arcctl.terminal import console as terminal
from arcctl.terminal import document

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from arcctl.diagnostics.top import Usage, UsageReport

STATES = {
    State.OK: ("✔ ok", "green"),
    State.WARN: ("! warn", "yellow"),
    State.PROBLEM: ("✘ problem", "red"),
    State.UNKNOWN: ("? unknown", "dim"),
}
PAUSE = 1.0
"""Seconds between two tables of `top`."""


def doctor_json(report: Report) -> str:
    """The contract `arcctl.doctor/v1`."""
    diagnoses = [document.plain(diagnosis) for diagnosis in report.diagnoses]
    for diagnosis in diagnoses:
        diagnosis["repairable"] = bool(diagnosis.pop("repairs"))
    return document.text("arcctl.doctor/v1", report, diagnoses=diagnoses, passed=report.passed, summary=report.summary)


def show_repaired(report: Report) -> None:
    """On stderr, so that `--json` keeps stdout to itself."""
    for text in report.repaired:
        terminal.say(f"fixed: {text}", style="green")


def show_doctor(report: Report) -> None:
    """A row per diagnosis and one line that sums up."""
    rows = [(d.id, STATES[d.state], d.evidence, d.fix) for d in report.diagnoses]
    terminal.table(("CHECK", "STATE", "EVIDENCE", "FIX"), rows)
    counts = ", ".join(f"{n} {state}" for state, n in report.summary.items() if n)
    text, style = terminal.word("ok" if report.passed else "bad")
    terminal.out().print(f"\n{text}: {counts}", style=style)
    if any(diagnosis.repairs for diagnosis in report.diagnoses):
        terminal.say("next: arcctl doctor --fix")


def top_json(report: UsageReport) -> str:
    return document.text("arcctl.top/v1", report, total=report.total)


def show_top(report: UsageReport) -> None:
    terminal.out().print(_grid(report))


def follow_top(measure: Callable[[], UsageReport]) -> None:
    """A table that changes until Ctrl-C."""
    from rich.live import Live

    with suppress(KeyboardInterrupt), Live(console=terminal.out(), auto_refresh=False) as live:
        while True:
            live.update(_grid(measure()), refresh=True)
            time.sleep(PAUSE)


def _grid(report: UsageReport) -> Table:
    rows = [_row(usage) for usage in (*report.containers, report.total_row)]
    return terminal.grid(("CONTAINER", "MEMORY", "LIMIT", "CPU", "DISK"), rows)


def _row(usage: Usage) -> tuple[str, ...]:
    memory, limit, disk = map(_size, (usage.memory_bytes, usage.memory_limit_bytes, usage.disk_bytes))
    return (usage.name, memory, limit, f"{usage.cpu_percent:.1f} %", disk)


def _size(count: int | None) -> str:
    return f"{count / (1 << 20):.1f} MiB" if count else ""


def bundled(path: Path, *, count: int, missing: tuple[str, ...]) -> None:
    """The path goes to stdout."""
    terminal.say(f"{count} files, secrets removed" + (f"; without {', '.join(missing)}" if missing else ""))
    terminal.line(str(path))
