"""Turns the state of containers and the answers to probes into a verdict on each service."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from arcctl.checks.cause_report import Explanation
from arcctl.engines.base import ABSENT, ContainerState, Observed, Unavailable
from arcctl.model.disk import Space, fullest
from arcctl.model.graph import root_causes
from arcctl.model.image import STUB
from arcctl.model.probe import Answer
from arcctl.model.service import Catalogue, Component, Layer, Role, Service
from arcctl.model.telemetry import LOST_MINUTES

SCHEMA = "arcctl.health/v1"
PROBE = "probe"
"""The id of the check that asks from the host."""
NEEDS = "needs"
"""The id of the check that names the root cause."""


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
    """observability or platform."""
    status: Status
    state: str
    version: str = ""
    checks: tuple[Check, ...]
    blocked_by: tuple[str, ...] = ()
    custom: bool = False
    """Whether a user added it; it belongs to the platform layer then."""
    available: bool = True
    """Whether this engine can run it, or has it."""

    @property
    def reason(self) -> str:
        """The message of the check that matters most."""
        probe = [c for c in self.checks if c.id == PROBE]
        ranked = [c for status in ("fail", "warn") for c in self.checks if c.status == status]
        return (*ranked, *probe, *self.checks)[0].message

    @property
    def explanation(self) -> str:
        """The root cause first, then the reason."""
        causes = (_unhealthy_needs(self.blocked_by),) if self.blocked_by else ()
        return "; ".join(dict.fromkeys((*causes, self.reason)))


@dataclass(frozen=True, kw_only=True)
class Report:
    """The verdicts on all services asked for. `status` is the worst that counts."""

    status: Status
    started_at: str
    duration_ms: int
    engine: str
    project: str
    services: tuple[Verdict, ...]

    @property
    def stubs(self) -> tuple[str, ...]:
        return tuple(v.name for v in self.services if v.version.endswith(STUB))

    def unavailable(self, named: Container[str]) -> tuple[str, ...]:
        """The services that people need not see: those that cannot run on this engine, without those named."""
        return tuple(v.name for v in self.services if not v.available and v.name not in named)

    def without(self, left_out: Container[str]) -> Report:
        return replace(self, services=tuple(v for v in self.services if v.name not in left_out))

    @property
    def summary(self) -> dict[str, int]:
        return {s.value: sum(v.status is s for v in self.services) for s in Status}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of the components, by their keys."""

    observed: Observed
    answers: Mapping[str, Answer]
    """To probes from the host."""
    seen: Mapping[str, Answer] = field(default_factory=dict)
    """From other containers of its networks."""
    started_at: Mapping[str, str] = field(default_factory=dict)
    """When those were started that should exist."""
    lately: str = ""
    """The time from which on a crash counts, as `started_at`."""
    ports: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """The host port of each container port, as the settings say it now."""
    losses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each service lost lately, in words."""


def judge(services: Iterable[str], catalogue: Catalogue, evidence: Evidence) -> tuple[Verdict, ...]:
    """The verdict on each service; one that depends on an unhealthy service names it."""
    observed = evidence.observed
    everything = {i: _verdict(service, evidence) for i, service in catalogue.services.items()}
    bad = (Status.UNHEALTHY, Status.UNKNOWN)
    failed = {i: v.status in bad and i not in observed.unavailable for i, v in everything.items()}
    return tuple(_with_root_causes(everything[i], root_causes(i, failed, catalogue)) for i in services)


def with_cause(verdict: Verdict, cause: Explanation | None, key: str = "") -> Verdict:
    """The verdict on a service of which it is known why it, or its component `key`, cannot run: the first reason."""
    if cause is None:
        return verdict
    message = f"{key} {cause.message}" if key else cause.message
    check = Check(id=cause.cause, kind="readiness", status=cause.status, message=message, hint=cause.hint)
    status = Status.DEGRADED if verdict.status is Status.HEALTHY else verdict.status
    return replace(verdict, status=status, checks=(check, *verdict.checks))


def overall(verdicts: Iterable[Verdict], counted: Iterable[str]) -> Status:
    """The worst status among the services that count; unknown where none does."""
    counted = set(counted)
    worst_first = (Status.UNHEALTHY, Status.UNKNOWN, Status.DEGRADED, Status.HEALTHY)
    return min((v.status for v in verdicts if v.name in counted), key=worst_first.index, default=Status.UNKNOWN)


def read_losses(text: str) -> dict[str, tuple[str, ...]]:
    """What each service lost, from the metric store's answer to a query for it."""
    found: dict[str, tuple[str, ...]] = {}
    for item in json.loads(text or "{}").get("data", {}).get("result", []):
        labels, number = item["metric"], int(float(item["value"][1]))
        words = f"{labels['what']}: {number:,} in the last {LOST_MINUTES} minutes"
        found[labels["job"]] = (*found.get(labels["job"], ()), words)
    return found


def _verdict(service: Service[Any], evidence: Evidence) -> Verdict:
    now, why = evidence.observed.of(service.id), evidence.observed.unavailable.get(service.id)
    answer = evidence.answers.get(service.id)
    checks = (
        *_disk(service, evidence.observed),
        _unavailable(why) if why else _container(service.id, now, evidence.started_at.get(service.id, "")),
        *_network(service.id, now, evidence.seen.get(service.id), answer),
        *_changed(service.id, now),
        *_restarted(service.id, now, evidence),
        *_other_ports(service.id, now, evidence.ports.get(service.id, {})),
        *_healthcheck(now),
        *_probe(service.id, now, answer),
        *_components(service, evidence),
        *(_loss(service.id, words) for words in evidence.losses.get(service.id, ()) if now.running),
    )
    custom = service.layer is Layer.CUSTOM
    return Verdict(
        name=service.id,
        layer=Layer.PLATFORM.value if custom else service.layer.value,
        custom=custom,
        available=why is None or now.state != ABSENT,
        status=_status(now, checks),
        state=now.state,
        version=(now.version or now.image.rpartition(":")[2]) + (f" {STUB}" if now.stub else ""),
        checks=checks,
    )


def _status(now: ContainerState, checks: tuple[Check, ...]) -> Status:
    found = {c.status for c in checks}
    if "fail" in found:
        return Status.UNHEALTHY
    if now.state == ABSENT:
        return Status.UNKNOWN
    return Status.DEGRADED if "warn" in found else Status.HEALTHY


def _with_root_causes(verdict: Verdict, causes: tuple[str, ...]) -> Verdict:
    if not causes or verdict.status is Status.UNKNOWN:
        return verdict
    status = Status.DEGRADED if verdict.status is Status.HEALTHY else verdict.status
    message, hint = _unhealthy_needs(causes), f"arcctl health {causes[0]}"
    check = Check(id=NEEDS, kind="readiness", status="warn", message=message, hint=hint)
    return replace(verdict, status=status, blocked_by=causes, checks=(*verdict.checks, check))


def _unhealthy_needs(causes: tuple[str, ...]) -> str:
    return f"depends on {' and '.join(causes)}, which {'is' if len(causes) == 1 else 'are'} not healthy"


def _disk(service: Service[Any], observed: Observed) -> tuple[Check, ...]:
    """First, because a server that cannot write fails in many ways."""
    keys = (component.id for component in (service, *service.components))
    disk = fullest(observed.disks[key] for key in keys if key in observed.disks)
    if disk is None:
        return ()
    status, message, hint = {
        Space.NONE: ("fail", f"writes fail: {disk}", "arcctl doctor"),
        Space.LITTLE: ("warn", f"little space: {disk}", "arcctl doctor"),
        Space.ENOUGH: ("pass", str(disk), ""),
    }[disk.space]
    return (Check(id="disk", kind="readiness", status=status, message=message, hint=hint),)


def _unavailable(why: Unavailable) -> Check:
    text = f"not available here: {why}"
    return Check(id="container", kind="liveness", status="skip", message=text, hint=why.command)


def _container(service_id: str, now: ContainerState, started_at: str = "") -> Check:
    up, logs = f"arcctl up {service_id}", f"arcctl logs {service_id}"
    if now.state == ABSENT and started_at:
        text = f"was started at {started_at}, is gone"
        return Check(id="container", kind="liveness", status="fail", message=text, hint=up)
    status, hint = {
        "running": ("pass", ""),
        ABSENT: ("skip", up),
        "restarting": ("fail", logs),
        "dead": ("fail", logs),
    }.get(now.state, ("fail", up))
    return Check(id="container", kind="liveness", status=status, message=str(now), hint=hint)


def _network(
    service_id: str, now: ContainerState, seen: Answer | None, answer: Answer | None = None
) -> tuple[Check, ...]:
    """Whether clients on its networks reach it; of a server that answers nobody the probe says more."""
    if now.running and now.cut_off:
        text, hint = "; ".join(now.cut_off), f"arcctl up {service_id}"
        return (Check(id="network", kind="readiness", status="fail", message=text, hint=hint),)
    if not now.running or seen is None:
        return ()
    status, hint = ("pass", "") if seen.ok else ("fail", f"arcctl restart {service_id}")
    if answer and not answer.ok and not seen.ok:
        status, hint = "skip", ""
    return (Check(id="network", kind="readiness", status=status, message=seen.reason, hint=hint),)


def _changed(service_id: str, now: ContainerState) -> tuple[Check, ...]:
    """What somebody changed by hand; the next `up` takes it back."""
    hint = f"arcctl up {service_id}"
    return tuple(
        Check(id="configuration", kind="liveness", status="warn", message=text, hint=hint) for text in now.changed
    )


def _restarted(key: str, now: ContainerState, evidence: Evidence) -> tuple[Check, ...]:
    """What the engine started again, until the next `up` sees it well or some time has passed."""
    if not now.running or not now.restarts or now.started_at < evidence.lately:
        return ()
    if now.started_at == evidence.started_at.get(key):
        return ()
    times = "once" if now.restarts == 1 else f"{now.restarts} times"
    text = f"crashed {times}, was started again at {now.started_at}"
    return (Check(id="restarts", kind="liveness", status="warn", message=text, hint=f"arcctl logs {key}"),)


def _other_ports(service_id: str, now: ContainerState, wanted: Mapping[int, int]) -> tuple[Check, ...]:
    """Programs that follow the settings look for it at the wrong place."""
    texts = tuple(
        f"port {port} is on host port {host}, the settings say {wanted[port]}"
        for port, host in now.ports.items()
        if now.running and wanted.get(port, host) != host
    )
    hint = f"arcctl up {service_id}"
    return tuple(Check(id="ports", kind="readiness", status="warn", message=text, hint=hint) for text in texts)


def _healthcheck(now: ContainerState) -> tuple[Check, ...]:
    """The container's own healthcheck warns only: clients depend on the probe."""
    if not now.running or not now.health:
        return ()
    status = {"healthy": "pass", "starting": "skip"}.get(now.health, "warn")
    detail = f": {now.health_log}" if status == "warn" and now.health_log else ""
    message = f"in-container check {now.health}{detail}"
    return (Check(id="healthcheck", kind="liveness", status=status, message=message),)


def _probe(service_id: str, now: ContainerState, answer: Answer | None) -> tuple[Check, ...]:
    """Without a published port the container's own healthcheck decides."""
    if not now.running:
        return ()
    if answer is None:
        status = {"healthy": "pass", "": "warn"}.get(now.health, "fail")
        text = f"no published port; in-container check {now.health or 'missing'}"
        return (Check(id=PROBE, kind="readiness", status=status, message=text),)
    status, hint = ("pass", "") if answer.ok else ("fail", answer.hint or f"arcctl logs {service_id}")
    ms = round(answer.seconds * 1000)
    return (
        Check(id=PROBE, kind="readiness", status=status, latency_ms=ms, message=answer.reason, hint=hint),
        *(Check(id=f.id, kind="readiness", status=f.status, message=f.message, hint=f.hint) for f in answer.findings),
    )


def _loss(service_id: str, words: str) -> Check:
    return Check(id="losses", kind="readiness", status="warn", message=words, hint=f"arcctl logs {service_id}")


def _components(service: Service[Any], evidence: Evidence) -> tuple[Check, ...]:
    if evidence.observed.of(service.id).state == ABSENT:
        return ()
    return tuple(_component(component, service.id, evidence) for component in service.components)


def _component(component: Component[Any], service_id: str, evidence: Evidence) -> Check:
    key, now = component.id, evidence.observed.of(component.id)
    started_at = evidence.started_at.get(key, "")
    told = (
        *_network(service_id, now, evidence.seen.get(key)),
        *_changed(service_id, now),
        *_restarted(key, now, evidence),
    )
    problem = next((check for check in told if check.status != "pass"), None)
    if component.role is Role.INIT and now.state == ABSENT and started_at:
        status, text, hint = "pass", f"ran at {started_at}, its container is gone", ""
    elif component.role is Role.INIT and now.state == "exited" and now.exit_code == 0:
        status, text, hint = "pass", "finished", ""
    elif now.state == ABSENT and component.after_server and not started_at:
        status, text, hint = "skip", "not started", ""
    elif now.running and now.health != "unhealthy" and not problem:
        status, text, hint = "pass", "running", ""
    else:
        status = "warn" if component.after_server or component.role is Role.SIDECAR else "fail"
        reason = now.health if now.running else _container(key, now, started_at).message
        other = f"arcctl up {service_id}" if now.state == ABSENT else f"arcctl logs {key}"
        text, hint = f"{key}: {problem.message if problem else reason}", problem.hint if problem else other
    return Check(id=key, kind="readiness", status=status, message=text, hint=hint)
