"""What `doctor` found: a row per point, or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

from arcctl.core.checkup.finding import Finding, State
from arcctl.ui import terminal

SCHEMA = "arcctl.doctor/v1"
WORDS = {
    State.OK: ("✔ ok", "green"),
    State.WARN: ("! warn", "yellow"),
    State.PROBLEM: ("✘ problem", "red"),
    State.UNKNOWN: ("? unknown", "dim"),
}


class Report(Protocol):
    @property
    def engine(self) -> str: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def mended(self) -> tuple[str, ...]: ...
    @property
    def passed(self) -> bool: ...
    @property
    def summary(self) -> Mapping[str, int]: ...


def document(report: Report) -> dict[str, object]:
    """The contract `arcctl.doctor/v1`."""
    return {
        "schema": SCHEMA,
        "passed": report.passed,
        "engine": report.engine,
        "findings": [_finding(f) for f in report.findings],
        "mended": list(report.mended),
        "summary": report.summary,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "state": finding.state.value,
        "evidence": finding.evidence,
        "fix": finding.fix,
        "mendable": bool(finding.mends),
    }


def show_json(report: Report) -> None:
    terminal.line(json.dumps(document(report), indent=2))


def show(report: Report) -> None:
    terminal.table(
        ("POINT", "STATE", "EVIDENCE", "FIX"), [(f.id, WORDS[f.state], f.evidence, f.fix) for f in report.findings]
    )
    counts = ", ".join(f"{n} {state}" for state, n in report.summary.items() if n)
    text, style = terminal.word("ok" if report.passed else "bad")
    terminal.out().print(f"\n{text}: {counts}", style=style)
    if any(f.mends for f in report.findings):
        terminal.say("next: arcctl doctor --fix")
