"""What is shown of a service on dashboards, and when to wake somebody: data, from which files are rendered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Document = dict[str, Any]
ID = "$id"
"""Stands for the service's id in queries."""


class Unit(StrEnum):
    """By the names that Grafana has for them."""

    COUNT = "short"
    REQUESTS = "reqps"
    OPERATIONS = "ops"
    SECONDS = "s"
    MILLISECONDS = "ms"
    BYTES = "bytes"
    BYTES_PER_SECOND = "Bps"
    SHARE = "percentunit"


class Store(StrEnum):
    """What a panel's queries are asked of."""

    METRICS = "metrics"
    LOGS = "logs"
    TRACES = "traces"


@dataclass(frozen=True, kw_only=True)
class Panel:
    title: str
    queries: Mapping[str, str]
    """Legend (`{{label}}` stands for a label's value) to query, in the language of the store."""
    unit: Unit = Unit.COUNT
    store: Store = Store.METRICS
    exemplars: bool = False
    """Whether single requests are shown as dots that lead to their traces."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    name: str
    query: str
    """Fires while it has a result."""
    minutes: int = 1
    """How long it must hold before it fires."""
    summary: str
    """One line; `{{ $labels.job }}` stands for a label's value."""
    hint: str
    """The command that helps."""


@dataclass(frozen=True, kw_only=True)
class Scrape:
    """Where the metric store reads metrics."""

    port: int
    """The container's port."""
    path: str = "/metrics"


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """Queries of the overview's row, empty where a service has no such metric; its own panels; its alerts."""

    up: str = 'max(up{job="$id"})'
    latency: str = 'max(scrape_duration_seconds{job="$id"})'
    memory: str = 'max(process_resident_memory_bytes{job="$id"})'
    rate: str = ""
    unit: Unit = Unit.OPERATIONS
    """Of the rate."""
    panels: tuple[Panel, ...] = ()
    choice: str = ""
    """A query for the values of which the viewer of the panels picks `$service`."""
    alerts: tuple[Alert, ...] = ()
    scrape: Scrape | None = None
    """Where that is not written in the metric store's own files."""

    def row(self, service: str) -> tuple[Panel, ...]:
        """The overview's panels of one service."""
        cells = (
            (f"{service}: up", self.up, Unit.COUNT),
            (f"{service}: answers in", self.latency, Unit.SECONDS),
            (f"{service}: memory", self.memory, Unit.BYTES),
            (f"{service}: rate", self.rate, self.unit),
        )
        return tuple(Panel(title=t, queries={"": q.replace(ID, service)}, unit=u) for t, q, u in cells if q)


def scrape_file(scrapes: Mapping[str, Scrape]) -> Document:
    """A file of scrape jobs of Prometheus, by the service that each is for."""
    return {"scrape_configs": [_job(service, scrape) for service, scrape in scrapes.items()]}


def _job(service: str, scrape: Scrape) -> Document:
    targets = [{"targets": [f"{service}:{scrape.port}"]}]
    return {"job_name": service, "metrics_path": scrape.path, "static_configs": targets}


def rules(alerts: Iterable[Alert]) -> Document:
    """A rules file of Prometheus."""
    return {"groups": [{"name": "arc", "rules": [_rule(alert) for alert in alerts]}]}


def _rule(alert: Alert) -> Document:
    return {
        "alert": alert.name,
        "expr": alert.query,
        "for": f"{alert.minutes}m",
        "annotations": {"summary": alert.summary, "next": alert.hint},
    }
