"""What `bootstrap` found: a row per resource, or one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict

from arcctl.core.bootstrap import Found, Report, State
from arcctl.ui import terminal

SCHEMA = "arcctl.bootstrap/v1"
WORDS = {
    State.THERE: ("✔ there", "green"),
    State.MADE: ("✔ made", "green"),
    State.MISSING: ("✘ missing", "red"),
    State.REFUSED: ("✘ refused", "red"),
    State.SKIPPED: ("? skipped", "dim"),
}


def show_json(report: Report) -> None:
    terminal.line(json.dumps({"schema": SCHEMA, **asdict(report), "summary": report.summary}, indent=2))


def show(report: Report) -> None:
    terminal.table(("SERVICE", "RESOURCE", "STATE", "REASON"), [_row(f) for f in report.found])
    counts = ", ".join(f"{n} {state}" for state, n in report.summary.items() if n) or "nothing to set up"
    text, style = terminal.word("ok" if report.passed else "bad")
    terminal.out().print(f"\n{text}: {counts} in {report.duration_ms} ms", style=style)


def _row(found: Found) -> tuple[tuple[str, str] | str, ...]:
    hint = f" ({found.hint})" if found.hint else ""
    return (found.service, found.resource, WORDS[found.state], found.reason + hint)
