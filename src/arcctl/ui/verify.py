"""What `verify` found: a row per service and each step that did not hold, or one JSON document, or JUnit XML."""

from __future__ import annotations

import json
from dataclasses import asdict
from xml.etree import ElementTree

from arcctl.core.observed import DOUBLE
from arcctl.core.proof import Outcome, Report, Verdict
from arcctl.ui import terminal

SCHEMA = "arcctl.verify/v1"
WORDS = {
    Outcome.PROVED: ("✔ proved", "green"),
    Outcome.BROKEN: ("✘ broken", "red"),
    Outcome.SKIPPED: ("? skipped", "dim"),
}


def show_json(report: Report) -> None:
    document = {
        "schema": SCHEMA,
        "passed": report.passed,
        "started_at": report.started_at,
        "duration_ms": report.duration_ms,
        "engine": report.engine,
        "services": [_service(v) for v in report.services],
        "summary": report.summary,
    }
    terminal.line(json.dumps(document, indent=2))


def _service(verdict: Verdict) -> dict[str, object]:
    steps = [asdict(step) for step in verdict.steps]
    return {
        "name": verdict.service,
        "outcome": verdict.outcome.value,
        "double": verdict.double,
        "reason": verdict.reason,
        "steps": steps,
    }


def show(report: Report) -> None:
    terminal.table(("SERVICE", "OUTCOME", "WHAT WAS SHOWN"), [row(v) for v in report.services])
    counts = ", ".join(f"{n} {outcome}" for outcome, n in report.summary.items() if n)
    doubles = f"; contract doubles, not the real servers: {', '.join(report.doubles)}" if report.doubles else ""
    text, style = terminal.word("ok" if report.passed else "bad")
    terminal.out().print(f"\n{text}: {counts} in {report.duration_ms} ms{doubles}", style=style)


def row(verdict: Verdict) -> tuple[tuple[str, str] | str, ...]:
    """Service, outcome, and what was shown or is broken."""
    shown = ", ".join(f"{step.name} ({step.since_ms} ms)" for step in verdict.steps if step.ok)
    double = f" {DOUBLE}" if verdict.double else ""
    return (verdict.service + double, WORDS[verdict.outcome], verdict.reason or shown)


def junit(report: Report) -> str:
    """One test case per step; a service that was skipped is one case."""
    suite = ElementTree.Element("testsuite", name="arcctl verify", timestamp=report.started_at)
    for verdict in report.services:
        for step in verdict.steps:
            if step.owner == verdict.service:
                case = _case(suite, verdict.service, step.name, step.ms)
                if not step.ok:
                    ElementTree.SubElement(case, "failure", message=step.message)
        if verdict.outcome is Outcome.SKIPPED:
            ElementTree.SubElement(_case(suite, verdict.service, "all", 0), "skipped", message=verdict.reason)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, service: str, name: str, ms: int) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=service, name=name, time=f"{ms / 1000:.3f}")
