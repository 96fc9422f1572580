"""Metrics, dashboards and alerts of a service, as data from which files are rendered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Any

from arcctl.model.smoke_test import Call


class Signal(StrEnum):
    """Make a request, find a part of it in a store, or take in a trace."""

    WORK = "work"
    TRACE = "trace"
    LOGS = "logs"
    METRICS = "metrics"
    INTAKE = "intake"
    """Where a finished trace is sent."""


Document = dict[str, Any]
ENVIRONMENT = "deployment.environment.name"
"""The attribute of all telemetry that has the name of the project."""
ID = "$id"
"""Replaced by the service's id in queries."""


class Unit(StrEnum):
    """Units by their names in Grafana."""

    COUNT = "short"
    REQUESTS = "reqps"
    OPERATIONS = "ops"
    SECONDS = "s"
    MILLISECONDS = "ms"
    BYTES = "bytes"
    BYTES_PER_SECOND = "Bps"
    SHARE = "percentunit"


class Store(StrEnum):
    """The store that a panel queries."""

    METRICS = "metrics"
    LOGS = "logs"
    TRACES = "traces"


@dataclass(frozen=True)
class Panel:
    title: str
    queries: Mapping[str, str]
    """Legend (`{{label}}` is replaced by a label's value) to query, in the language of the store."""
    unit: Unit = Unit.COUNT
    _: KW_ONLY
    store: Store = Store.METRICS
    exemplars: bool = False
    """Whether single requests are shown as dots that link to their traces."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    name: str
    query: str
    """The alert fires while this has a result."""
    minutes: int = 1
    """How long the query must have a result before the alert fires."""
    summary: str
    """One line; `{{ $labels.job }}` is replaced by a label's value."""
    hint: str
    """The command to type next."""


LOST = "arc_lost_items"
"""The series with what was lost in the last LOST_MINUTES: by `job`, the service, and `what`."""
LOST_MINUTES = 15


@dataclass(frozen=True)
class Loss:
    """Something that a service refuses or drops, as its own metrics count it."""

    what: str
    """What the number is of: `log lines discarded`."""
    counters: tuple[str, ...]
    """Their series, as selectors."""

    @property
    def query(self) -> str:
        """How many in the last LOST_MINUTES, also after a restart and after a time without scrapes."""
        before = f"[1d] offset {LOST_MINUTES}m"
        counted = (f"sum({c} - last_over_time({c}{before}) >= 0 or {c})" for c in self.counters)
        return " + ".join(f"({query} or vector(0))" for query in counted)


@dataclass(frozen=True)
class Scrape:
    """Where the metric store reads metrics."""

    port: int
    """The container's port."""
    path: str = "/metrics"
    _: KW_ONLY
    component: str = ""
    """The component that has them (an exporter); empty for the server."""


@dataclass(frozen=True, kw_only=True)
class LogStore:
    """How log lines are read by the names of the programs that sent them."""

    names: Call
    """A list of all names, at `data` of the answer."""
    lines: Call
    """For `{services}`, a regular expression; from `{start_ns}` on, at most `{limit}`, in `{direction}`."""


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """What is measured and shown of a service: the overview's row (empty: no such metric), its panels, its alerts."""

    up: str = 'max(up{job="$id"})'
    latency: str = 'max(scrape_duration_seconds{job="$id"})'
    memory: str = 'max(process_resident_memory_bytes{job="$id"})'
    rate: str = ""
    unit: Unit = Unit.OPERATIONS
    """Of the rate."""
    panels: tuple[Panel, ...] = ()
    choice: str = ""
    """A query for the values that the viewer chooses `$service` from."""
    alerts: tuple[Alert, ...] = ()
    losses: tuple[Loss, ...] = ()
    lost: Call | None = None
    """How to ask it for the LOST of all services; None where it does not know."""
    scrape: Scrape | None = None
    signals: Mapping[Signal, Call] = field(default_factory=dict)
    """What it knows of one request, by its trace id."""
    log_store: LogStore | None = None

    def row(self, service: str) -> tuple[Panel, ...]:
        """The overview's panels of one service."""
        cells = (
            (f"{service}: up", self.up, Unit.COUNT),
            (f"{service}: answers in", self.latency, Unit.SECONDS),
            (f"{service}: memory", self.memory, Unit.BYTES),
            (f"{service}: rate", self.rate, self.unit),
        )
        return tuple(Panel(title=t, queries={"": q.replace(ID, service)}, unit=u) for t, q, u in cells if q)


def rate(metric: str, by: str = "") -> str:
    """A query for how fast a counter grows each second, as one sum or one for each value of the label `by`."""
    return f"sum by ({by}) (rate({metric}[2m]))" if by else f"sum(rate({metric}[2m]))"


def scrape_file(scrapes: Mapping[str, Scrape]) -> Document:
    """A file of scrape jobs of Prometheus, by the service that each is for."""
    return {"scrape_configs": [_job(service, scrape) for service, scrape in scrapes.items()]}


def _job(service: str, scrape: Scrape) -> Document:
    targets = [{"targets": [f"{scrape.component or service}:{scrape.port}"]}]
    return {"job_name": service, "metrics_path": scrape.path, "static_configs": targets}


def rules(alerts: Iterable[Alert], losses: Mapping[str, tuple[Loss, ...]]) -> Document:
    """A rules file of Prometheus; `losses` are those of each service."""
    counted = [
        {"record": LOST, "expr": loss.query, "labels": {"job": service, "what": loss.what}}
        for service, found in losses.items()
        for loss in found
    ]
    return {"groups": [{"name": "arc", "rules": counted + [_rule(alert) for alert in alerts]}]}


def _rule(alert: Alert) -> Document:
    return {
        "alert": alert.name,
        "expr": alert.query,
        "for": f"{alert.minutes}m",
        "annotations": {"summary": alert.summary, "next": alert.hint},
    }


def otlp(service: str, scope: str, records: Mapping[str, Any], project: str = "") -> dict[str, Any]:
    """An OTLP request in JSON with records of one service, of this project; `scope` is Spans, Logs or Metrics."""
    names = {"service.name": service, **({ENVIRONMENT: project} if project else {})}
    resource = {"attributes": [{"key": key, "value": {"stringValue": name}} for key, name in names.items()]}
    return {f"resource{scope}": [{"resource": resource, f"scope{scope}": [records]}]}
