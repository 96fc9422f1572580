"""Health reports to show: all well, and one of each illness."""

from __future__ import annotations

from arcctl.core.health import Check, Report, Status, Verdict
from arcctl.core.observed import DOUBLE


def _check(name: str, status: str, message: str, *, ms: int = 0, hint: str = "") -> Check:
    kind = "liveness" if name == "container" else "readiness"
    return Check(id=name, kind=kind, status=status, latency_ms=ms, message=message, hint=hint)


RUNS = _check("container", "pass", "container runs")
WELL = Verdict(
    name="store",
    layer="observability",
    status=Status.HEALTHY,
    state="running",
    version="1.0",
    checks=(RUNS, _check("probe", "pass", "port 7000 answered OK", ms=3)),
)
ILL = Verdict(
    name="big-shop",
    layer="platform",
    status=Status.UNHEALTHY,
    state="running",
    version=f"3.1 {DOUBLE}",
    checks=(
        RUNS,
        _check("probe", "fail", 'HTTP 503 on /ready: <b>"100%" & busy</b>', ms=12, hint="arcctl logs big-shop"),
        _check("shop-db", "fail", "helper shop-db is exited, exit code 2", hint="arcctl logs big-shop"),
    ),
)
LEANS = Verdict(
    name="front",
    layer="platform",
    status=Status.DEGRADED,
    state="running",
    version="9",
    checks=(
        RUNS,
        _check("probe", "pass", "HTTP 200 on /", ms=1),
        _check("needs", "warn", "stands on big-shop, which is not healthy", hint="arcctl health big-shop"),
    ),
    blocked_by=("big-shop",),
)
AWAY = Verdict(
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


FINE = report(Status.HEALTHY, WELL)
MIXED = report(Status.UNHEALTHY, ILL, LEANS, AWAY, WELL)
