"""Health reports to show: all healthy, and one service of each status."""

from __future__ import annotations

from arcctl.checks.health_report import Check, Report, Status, Verdict
from arcctl.model.image import STUB


def _check(name: str, status: str, message: str, *, ms: int = 0, hint: str = "") -> Check:
    kind = "liveness" if name == "container" else "readiness"
    return Check(id=name, kind=kind, status=status, latency_ms=ms, message=message, hint=hint)


RUNNING = _check("container", "pass", "running")
HEALTHY = Verdict(
    name="store",
    layer="observability",
    status=Status.HEALTHY,
    state="running",
    version="1.0",
    checks=(RUNNING, _check("probe", "pass", "port 7000 answered OK", ms=3)),
)
UNHEALTHY = Verdict(
    name="big-shop",
    layer="platform",
    status=Status.UNHEALTHY,
    state="running",
    version=f"3.1 {STUB}",
    checks=(
        RUNNING,
        _check("probe", "fail", 'HTTP 503 on /ready: <b>"100%" & busy</b>', ms=12, hint="arcctl logs big-shop"),
        _check("shop-db", "fail", "shop-db: exited with code 2", hint="arcctl logs big-shop"),
    ),
)
DEPENDENT = Verdict(
    name="front",
    layer="platform",
    status=Status.DEGRADED,
    state="running",
    version="9",
    checks=(
        RUNNING,
        _check("probe", "pass", "HTTP 200 on /", ms=1),
        _check("needs", "warn", "depends on big-shop, which is not healthy", hint="arcctl health big-shop"),
    ),
    blocked_by=("big-shop",),
)
ABSENT = Verdict(
    name="old-shop",
    layer="platform",
    status=Status.UNKNOWN,
    state="absent",
    checks=(_check("container", "skip", "not started", hint="arcctl up old-shop"),),
)


def report(status: Status, *verdicts: Verdict) -> Report:
    return Report(
        status=status,
        started_at="2026-01-31T10:00:00.000Z",
        duration_ms=42,
        engine="docker",
        project="arc",
        services=verdicts,
    )


FINE = report(Status.HEALTHY, HEALTHY)
MIXED = report(Status.UNHEALTHY, UNHEALTHY, DEPENDENT, ABSENT, HEALTHY)
