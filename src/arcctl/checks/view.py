"""Reports of `health`, `verify` and `trace`: tables, JSON, JUnit XML, annotations for GitHub, and Markdown for CI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from arcctl.checks import health_report as health
from arcctl.checks import verify_report as verify
from arcctl.checks.health_report import Status
from arcctl.checks.trace_report import Span, Trace, tree
from arcctl.checks.verify_report import Outcome
from arcctl.model.image import STUB
from arcctl.terminal import console as terminal
from arcctl.terminal import document

OUTCOMES = {
    Outcome.PASSED: ("✔ passed", "green"),
    Outcome.FAILED: ("✘ failed", "red"),
    Outcome.SKIPPED: ("? skipped", "dim"),
}
BAR_WIDTH = 40
"""Columns of the longest bar in a trace."""
SHOWN = 2000
"""Characters of a log line in a trace."""


def health_json(report: health.Report) -> str:
    """The contract `arcctl.health/v1`: every service; `custom` is there only where it is true."""
    unsaid = {"available": {True, False}, "custom": {False}}
    services = [{k: v for k, v in document.plain(s).items() if v not in unsaid.get(k, ())} for s in report.services]
    return document.text(health.SCHEMA, report, services=services, summary=report.summary)


def verify_json(report: verify.Report) -> str:
    """The contract `arcctl.verify/v1`."""
    return document.text("arcctl.verify/v1", report, summary=report.summary)


def trace_json(trace: Trace) -> str:
    """The contract `arcctl.trace/v1`."""
    return document.text("arcctl.trace/v1", trace)


def show_health(whole: health.Report, left_out: Sequence[str] = ()) -> None:
    """A row per service, one line that sums up, and the next command for each that is not healthy.

    The services `left_out` share one line.
    """
    report = whole.without(left_out)
    terminal.table(("SERVICE", "STATUS", "VERSION", "LATENCY", "REASON"), [_health_row(v) for v in report.services])
    _say_left_out(left_out)
    _sum_up(report.status.value, report)
    for verdict in report.services:
        for hint in dict.fromkeys(
            c.hint for c in verdict.checks if c.hint and c.status in ("fail", "warn") and c.id != health.NEEDS
        ):
            terminal.say(f"{verdict.name}: next, {hint}")


def _say_left_out(services: Sequence[str]) -> None:
    if services:
        terminal.line(f"\n{terminal.not_available(services)}")


def _health_row(verdict: health.Verdict) -> tuple[tuple[str, str] | str, ...]:
    latency = next((f"{c.latency_ms} ms" for c in verdict.checks if c.id == health.PROBE), "")
    return (verdict.name, terminal.word(verdict.status.value), verdict.version, latency, verdict.explanation)


def show_verify(whole: verify.Report, left_out: Sequence[str] = ()) -> None:
    """A row per service and one line that sums up; the services `left_out` share one line."""
    report = whole.without(left_out)
    terminal.table(("SERVICE", "OUTCOME", "STEPS"), [verify_row(v) for v in report.services])
    _say_left_out(left_out)
    _sum_up("ok" if report.passed else "bad", report)


def verify_row(verdict: verify.Verdict) -> tuple[tuple[str, str] | str, ...]:
    """Service, outcome, and the steps that passed or the reason why one did not."""
    steps = ", ".join(f"{step.name} ({step.since_ms} ms)" for step in verdict.steps if step.ok)
    stub = f" {STUB}" if verdict.stub else ""
    return (verdict.name + stub, OUTCOMES[verdict.outcome], verdict.reason or steps)


def _sum_up(status: str, report: health.Report | verify.Report) -> None:
    counts = ", ".join(f"{n} {word}" for word, n in report.summary.items() if n)
    stubs = f"; stubs, not the real servers: {', '.join(report.stubs)}" if report.stubs else ""
    text, style = terminal.word(status)
    terminal.out().print(f"\n{text}: {counts} in {report.duration_ms} ms{stubs}", style=style)


def show_trace(trace: Trace) -> None:
    """The spans as a tree with bars, the log lines, the counters, and how long each store took to have the trace."""
    start = min(span.start_ns for span in trace.spans)
    total = max(span.start_ns + span.duration_ms * 1e6 for span in trace.spans) - start
    terminal.line(f"trace {trace.id}: {len(trace.spans)} spans, {total / 1e6:.1f} ms")
    rows = [(*_span_cells(depth, span), _bar(span, start, total)) for depth, span in tree(trace.spans)]
    terminal.table(("SERVICE", "SPAN", "DURATION", ""), rows)
    terminal.line("\nlogs:" if trace.lines else "\nlogs: none")
    for line in trace.lines:
        terminal.line(f"  +{(line.time_ns - start) / 1e6:.1f} ms  {line.service} {line.level}: {_beginning(line.text)}")
    terminal.line("\nspan metrics:" if trace.series else "\nspan metrics: none")
    for series in trace.series:
        terminal.line(f"  {series.value:>8}  {', '.join(series.labels[name] for name in sorted(series.labels))}")
    terminal.line("\nhops:")
    for hop in trace.hops:
        status = terminal.word("bad" if not hop.ok else "ok" if hop.found else "none")[0]
        terminal.line(f"  {status}  {hop.service} ({hop.signal}) after {hop.ms} ms {hop.message}".rstrip())


def _beginning(text: str) -> str:
    """A prompt may have megabytes."""
    left_out = len(text) - SHOWN
    return f"{text[:SHOWN]}… {left_out} characters more: arcctl trace ID --json" if left_out > 0 else text


def _span_cells(depth: int, span: Span) -> tuple[str, str, str]:
    return span.service, "  " * depth + span.name + ("" if span.ok else " (error)"), f"{span.duration_ms:.1f} ms"


def _bar(span: Span, start: int, total: float) -> str:
    """The span's place in the whole trace."""
    scale = BAR_WIDTH / (total or 1)
    return " " * round((span.start_ns - start) * scale) + "█" * max(1, round(span.duration_ms * 1e6 * scale))


def health_junit(report: health.Report) -> str:
    """JUnit XML: one test case per service; unhealthy is a failure, unknown is skipped."""
    suite = ElementTree.Element("testsuite", name="arcctl health", timestamp=report.started_at)
    suite.set("tests", str(len(report.services)))
    suite.set("failures", str(report.summary[Status.UNHEALTHY.value]))
    suite.set("skipped", str(report.summary[Status.UNKNOWN.value]))
    suite.set("time", f"{report.duration_ms / 1000:.3f}")
    tags = {Status.UNHEALTHY: "failure", Status.UNKNOWN: "skipped"}
    for verdict in report.services:
        case = _case(suite, verdict.layer, verdict.name, sum(c.latency_ms for c in verdict.checks))
        if verdict.status in tags:
            ElementTree.SubElement(case, tags[verdict.status], message=verdict.reason)
    return _xml(suite)


def verify_junit(report: verify.Report) -> str:
    """JUnit XML: one test case per step; a service that was skipped is one case."""
    suite = ElementTree.Element("testsuite", name="arcctl verify", timestamp=report.started_at)
    for verdict in report.services:
        for step in verdict.steps:
            if step.owner == verdict.name:
                case = _case(suite, verdict.name, step.name, step.ms)
                if not step.ok:
                    ElementTree.SubElement(case, "failure", message=step.message)
        if verdict.outcome is Outcome.SKIPPED:
            ElementTree.SubElement(_case(suite, verdict.name, "all", 0), "skipped", message=verdict.reason)
    return _xml(suite)


def _case(suite: ElementTree.Element, classname: str, name: str, ms: int) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=classname, name=name, time=f"{ms / 1000:.3f}")


def _xml(suite: ElementTree.Element) -> str:
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def show_github(report: health.Report, left_out: Sequence[str] = ()) -> None:
    """Workflow commands on stderr, so that `--json` keeps stdout to itself; one for all services `left_out`."""
    levels = {Status.UNHEALTHY: "error", Status.DEGRADED: "warning", Status.UNKNOWN: "notice"}
    for verdict in report.without(left_out).services:
        if verdict.status in levels:
            message = verdict.reason.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            terminal.say(f"::{levels[verdict.status]} title={verdict.name} is {verdict.status}::{message}")
    if left_out:
        what = terminal.count(len(left_out), "service")
        terminal.say(f"::notice title=not available here: {what}::{terminal.not_available(left_out)}")


def health_markdown(whole: health.Report, left_out: Sequence[str] = ()) -> str:
    """A table with a row per service, for the summary page of a CI job, and one line for the services `left_out`."""
    report = whole.without(left_out)
    rows = [(v.name, terminal.word(v.status.value)[0], v.version, v.reason) for v in report.services]
    title = f"Health: {terminal.word(report.status.value)[0]}, {report.engine} engine"
    return _markdown(title, ("service", "status", "version", "reason"), rows) + _more(left_out)


def verify_markdown(whole: verify.Report, left_out: Sequence[str] = ()) -> str:
    """A table with a row per service, with the first step that failed, and one line for the services `left_out`."""
    report = whole.without(left_out)
    rows = [(v.name, OUTCOMES[v.outcome][0], v.reason or f"{len(v.steps)} steps") for v in report.services]
    title = f"Verify: {terminal.word('ok' if report.passed else 'bad')[0]}"
    return _markdown(title, ("service", "outcome", "result"), rows) + _more(left_out)


def _more(left_out: Sequence[str]) -> str:
    return f"{terminal.not_available(left_out)}\n\n" if left_out else ""


def _markdown(title: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ("---",) * len(headers), *rows]
    return f"### {title}\n\n" + "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines) + "\n"


def _cell(text: str) -> str:
    """Text that Markdown shows as it is."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
