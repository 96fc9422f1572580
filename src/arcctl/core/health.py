"""Turns what was observed and answered into verdicts. An unhealthy service is an answer, not an exception."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from arcctl.core.graph import root_causes
from arcctl.core.model import Catalogue, Helper, Layer, Service
from arcctl.core.observed import ABSENT, DOUBLE, ContainerState, Observed, Unavailable
from arcctl.core.probe import Answer

SCHEMA = "arcctl.health/v1"
PROBE = "probe"
"""The id of the check that asks from outside."""


class Status(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question and its answer. `kind` is liveness or readiness; `status` is pass, warn, fail or skip."""

    id: str
    kind: str
    status: str
    latency_ms: int = 0
    message: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    name: str
    layer: str
    """By the words of the contract, which knows two."""
    status: Status
    state: str
    version: str = ""
    checks: tuple[Check, ...]
    blocked_by: tuple[str, ...] = ()
    own: bool = False
    """Whether a user added it; it counts to the platform layer then."""

    @property
    def reason(self) -> str:
        """The message of the check that matters most."""
        probe = [c for c in self.checks if c.id == PROBE]
        ranked = [c for status in ("fail", "warn") for c in self.checks if c.status == status]
        return (*ranked, *probe, *self.checks)[0].message


@dataclass(frozen=True, kw_only=True)
class Report:
    """One observation of all services asked for. `status` is the worst that counts."""

    status: Status
    started_at: str
    duration_ms: int
    engine: str
    project: str
    services: tuple[Verdict, ...]

    @property
    def doubles(self) -> tuple[str, ...]:
        """The services that are contract doubles: they are counted, and never without saying so."""
        return tuple(v.name for v in self.services if v.version.endswith(DOUBLE))

    @property
    def summary(self) -> dict[str, int]:
        return {s.value: sum(v.status is s for v in self.services) for s in Status}


def judge(
    services: Iterable[str], catalogue: Catalogue, observed: Observed, answers: Mapping[str, Answer]
) -> tuple[Verdict, ...]:
    """The verdict on each service, root causes named: a service that stands on a broken one says so."""
    everything = {i: _verdict(catalogue.services[i], observed, answers.get(i)) for i in catalogue.services}
    bad = (Status.UNHEALTHY, Status.UNKNOWN)
    broken = {i: v.status in bad and i not in observed.unavailable for i, v in everything.items()}
    return tuple(_blame(everything[i], root_causes(i, broken, catalogue)) for i in services)


def overall(verdicts: Iterable[Verdict], counted: Iterable[str]) -> Status:
    """The worst status among the services that count; unknown where none does."""
    counted = set(counted)
    found = {v.status for v in verdicts if v.name in counted}
    for status in (Status.UNHEALTHY, Status.UNKNOWN, Status.DEGRADED, Status.HEALTHY):
        if status in found:
            return status
    return Status.UNKNOWN


def _verdict(service: Service[Any], observed: Observed, answer: Answer | None) -> Verdict:
    now = observed.of(service.id)
    checks = (
        _absent(observed.unavailable[service.id]) if service.id in observed.unavailable else _liveness(service.id, now),
        *_inside(now),
        *_outside(service.id, now, answer),
        *_helpers(service, observed),
    )
    own = service.layer is Layer.OWN
    return Verdict(
        name=service.id,
        layer=Layer.PLATFORM.value if own else service.layer.value,
        own=own,
        status=_status(now, checks),
        state=now.state,
        version=(now.version or now.image.rpartition(":")[2]) + (f" {DOUBLE}" if now.double else ""),
        checks=checks,
    )


def _status(now: ContainerState, checks: tuple[Check, ...]) -> Status:
    if now.state == ABSENT:
        return Status.UNKNOWN
    found = {c.status for c in checks}
    if "fail" in found:
        return Status.UNHEALTHY
    return Status.DEGRADED if "warn" in found else Status.HEALTHY


def _blame(verdict: Verdict, causes: tuple[str, ...]) -> Verdict:
    if not causes or verdict.status is Status.UNKNOWN:
        return verdict
    status = Status.DEGRADED if verdict.status is Status.HEALTHY else verdict.status
    message = f"stands on {', '.join(causes)}, which is not healthy"
    check = Check(id="needs", kind="readiness", status="warn", message=message, hint=f"arcctl health {causes[0]}")
    return replace(verdict, status=status, blocked_by=causes, checks=(*verdict.checks, check))


def _absent(why: Unavailable) -> Check:
    text = f"not available here: {why}"
    return Check(id="container", kind="liveness", status="skip", message=text, hint=why.command)


def _liveness(service_id: str, now: ContainerState) -> Check:
    up, logs = f"arcctl up {service_id}", f"arcctl logs {service_id}"
    match now.state:
        case "running":
            return Check(id="container", kind="liveness", status="pass", message="container runs")
        case "absent":
            return Check(id="container", kind="liveness", status="skip", message="not started", hint=up)
        case "paused":
            return Check(id="container", kind="liveness", status="fail", message="container is paused", hint=up)
        case "restarting":
            text = f"container keeps restarting, last exit code {now.exit_code}"
            return Check(id="container", kind="liveness", status="fail", message=text, hint=logs)
        case "dead":
            text = "it crashed again and again and was given up; its log says why"
            return Check(id="container", kind="liveness", status="fail", message=text, hint=logs)
        case _:
            text = f"container is {now.state}, exit code {now.exit_code}" + (", out of memory" * now.oom_killed)
            return Check(id="container", kind="liveness", status="fail", message=text, hint=up)


def _inside(now: ContainerState) -> tuple[Check, ...]:
    """The image's own check warns only: the probe from outside is what users depend on."""
    if not now.running or not now.health:
        return ()
    status = {"healthy": "pass", "starting": "skip"}.get(now.health, "warn")
    detail = f": {now.health_log}" if status == "warn" and now.health_log else ""
    return (
        Check(id="healthcheck", kind="liveness", status=status, message=f"in-container check {now.health}{detail}"),
    )


def _outside(service_id: str, now: ContainerState, answer: Answer | None) -> tuple[Check, ...]:
    if not now.running:
        return ()
    if answer is None:
        return _unpublished(now)
    hint = "" if answer.ok else f"arcctl logs {service_id}"
    status = "pass" if answer.ok else "fail"
    ms = round(answer.seconds * 1000)
    return (Check(id=PROBE, kind="readiness", status=status, latency_ms=ms, message=answer.reason, hint=hint),)


def _unpublished(now: ContainerState) -> tuple[Check, ...]:
    """Without a published port the container's own health decides."""
    status = {"healthy": "pass", "": "warn"}.get(now.health, "fail")
    text = f"no published port; in-container check says {now.health or 'nothing'}"
    return (Check(id=PROBE, kind="readiness", status=status, message=text),)


def _helpers(service: Service[Any], observed: Observed) -> tuple[Check, ...]:
    if observed.of(service.id).state == ABSENT:
        return ()
    return tuple(_helper(h, observed.of(h.id)) for h in service.helpers)


def _helper(helper: Helper[Any], now: ContainerState) -> Check:
    done = helper.one_shot and now.state == "exited" and now.exit_code == 0
    if done or (now.running and now.health != "unhealthy"):
        return Check(id=helper.id, kind="readiness", status="pass", message="done" if done else "runs")
    if now.state == ABSENT and helper.aside:
        return Check(id=helper.id, kind="readiness", status="skip", message="not started")
    status = "warn" if helper.aside or not helper.one_shot else "fail"
    code = f", exit code {now.exit_code}" if now.state == "exited" else ""
    text = f"helper {helper.id} is {now.health if now.running else now.state}{code}"
    return Check(id=helper.id, kind="readiness", status=status, message=text, hint=f"arcctl logs {helper.id}")
