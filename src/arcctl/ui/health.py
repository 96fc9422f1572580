"""A health report as a table, as JSON, as JUnit XML, and as annotations for GitHub."""

from __future__ import annotations

import json
from dataclasses import asdict
from xml.etree import ElementTree

from arcctl.core.health import PROBE, SCHEMA, Report, Status, Verdict
from arcctl.ui import terminal


def document(report: Report) -> dict[str, object]:
    """The contract `arcctl.health/v1`."""
    return {
        "schema": SCHEMA,
        "status": report.status.value,
        "started_at": report.started_at,
        "duration_ms": report.duration_ms,
        "engine": report.engine,
        "project": report.project,
        "services": [_service(v) for v in report.services],
        "summary": report.summary,
    }


def _service(verdict: Verdict) -> dict[str, object]:
    fields = asdict(verdict)
    own = {"own": True} if fields.pop("own") else {}  # the contract began without it
    return {
        **fields,
        **own,
        "status": verdict.status.value,
        "checks": list(fields["checks"]),
        "blocked_by": list(verdict.blocked_by),
    }


def show_json(report: Report) -> None:
    terminal.line(json.dumps(document(report), indent=2))


def show(report: Report) -> None:
    """A row per service and one line that sums up."""
    terminal.table(("SERVICE", "STATUS", "VERSION", "LATENCY", "REASON"), [_row(v) for v in report.services])
    counts = ", ".join(f"{n} {status}" for status, n in report.summary.items() if n)
    text, style = terminal.word(report.status.value)
    doubles = f"; contract doubles, not the real servers: {', '.join(report.doubles)}" if report.doubles else ""
    terminal.out().print(f"\n{text}: {counts} in {report.duration_ms} ms{doubles}", style=style)
    for verdict in report.services:
        for hint in dict.fromkeys(c.hint for c in verdict.checks if c.hint and c.status == "fail"):
            terminal.say(f"{verdict.name}: next, {hint}")


def _row(verdict: Verdict) -> tuple[tuple[str, str] | str, ...]:
    latency = next((f"{c.latency_ms} ms" for c in verdict.checks if c.id == PROBE), "")
    blocked = f"blocked by {', '.join(verdict.blocked_by)}; " if verdict.blocked_by else ""
    return (verdict.name, terminal.word(verdict.status.value), verdict.version, latency, blocked + verdict.reason)


def junit(report: Report) -> str:
    """JUnit XML: one test case per service; unhealthy is a failure, unknown is skipped."""
    suite = ElementTree.Element("testsuite", name="arcctl health", timestamp=report.started_at)
    suite.set("tests", str(len(report.services)))
    suite.set("failures", str(report.summary[Status.UNHEALTHY.value]))
    suite.set("skipped", str(report.summary[Status.UNKNOWN.value]))
    suite.set("time", f"{report.duration_ms / 1000:.3f}")
    for verdict in report.services:
        case = ElementTree.SubElement(suite, "testcase", classname=verdict.layer, name=verdict.name)
        case.set("time", f"{sum(c.latency_ms for c in verdict.checks) / 1000:.3f}")
        if verdict.status in (Status.UNHEALTHY, Status.UNKNOWN):
            tag = "failure" if verdict.status is Status.UNHEALTHY else "skipped"
            ElementTree.SubElement(case, tag, message=verdict.reason)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def show_github(report: Report) -> None:
    """Workflow commands on stderr, so that `--json` keeps stdout to itself."""
    levels = {Status.UNHEALTHY: "error", Status.DEGRADED: "warning", Status.UNKNOWN: "notice"}
    for verdict in report.services:
        if verdict.status in levels:
            message = verdict.reason.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            terminal.say(f"::{levels[verdict.status]} title={verdict.name} is {verdict.status}::{message}")
