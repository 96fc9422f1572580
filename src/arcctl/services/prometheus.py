"""Prometheus: the metric store; scrapes every service and takes OTLP."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from arcctl.model.backup_method import Folder
from arcctl.model.binaries import GoModule
from arcctl.model.env import HostPort, ServiceEnv
from arcctl.model.probe import Http
from arcctl.model.service import (
    BindMount,
    Catalogue,
    Checks,
    Component,
    Container,
    Layer,
    Limit,
    Network,
    Port,
    Process,
    Service,
    Storage,
    Volume,
    service_id,
)
from arcctl.model.smoke_test import Call
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import (
    LOST,
    LOST_MINUTES,
    Alert,
    Document,
    Loss,
    Scrape,
    Signal,
    Telemetry,
    rate,
    rules,
    scrape_file,
)
from arcctl.services.presets.web import answers, ui, web

ID = service_id(__name__)
PORT = 9090
_FOLDER = "/etc/prometheus"
_CONFIG = f"{_FOLDER}/prometheus.yml"
_SERVICES, _CONTAINERS, _CUSTOM = "services.yml", "containers.yml", "custom.yml"
"""Files of scrape jobs: what runs on each engine, what runs in containers only, what a project adds."""
_OPTIONS = (
    f"--config.file={_CONFIG}",
    "--storage.tsdb.path=/prometheus",
    "--web.enable-otlp-receiver",
    "--enable-feature=exemplar-storage",
)


_BUILD = "github.com/prometheus/common/version"
# Not Debian's, which is built without the OTLP receiver. v0.314.0 is how Go modules write 3.14.0.
SOURCE = GoModule(
    name="prometheus",
    module="github.com/prometheus/prometheus",
    version="v0.314.0",
    program="prometheus",
    minutes=5,
    packages=("./cmd/prometheus", "./cmd/promtool"),
    versions=((f"{_BUILD}.Version", "3.14.0"), (f"{_BUILD}.Branch", "arcctl")),
    tags=("netgo",),
)


class Env(ServiceEnv, env_prefix="PROMETHEUS_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""


_COUNTED = 'traces_span_metrics_calls_total{service_name=~"{services}", span_name=~"{spans}"}'
_CALLS = f"sum by (service_name, span_name, status_code) ({_COUNTED}) > 0"  # the first point of a series is 0


def find(query: str, patience: float = 15) -> Call:
    """A metric that has at least one series."""
    return Call(
        "find the metric in the metric store",
        PORT,
        f"/api/v1/query?query={quote(query, safe='{}')}",
        at=ID,
        expect='"value"',
        patience=patience,
    )


_DOWN = Alert(
    name="ServiceDown",
    query="up == 0 and max_over_time(up[1h]) == 1",
    summary="{{ $labels.job }} was up within the last hour and does not answer any more",
    hint="arcctl health {{ $labels.job }}",
)
_LOST = Alert(
    name="DataLost",
    query=f"{LOST} > 0",
    minutes=0,
    summary=f"{{{{ $labels.job }}}}: {{{{ $labels.what }}}}: {{{{ $value }}}} in the last {LOST_MINUTES} minutes",
    hint="arcctl logs {{ $labels.job }}",
)


def _files(catalogue: Catalogue) -> dict[str, Document]:
    alerts = [alert for service in catalogue.services.values() for alert in service.telemetry.alerts]
    jobs: dict[str, dict[str, Scrape]] = {_SERVICES: {}, _CONTAINERS: {}, _CUSTOM: {}}
    for service in catalogue.services.values():
        if scrape := service.telemetry.scrape:
            jobs[_scrape_file_of(service, catalogue.components()[scrape.component or service.id])][service.id] = scrape
    losses = {i: service.telemetry.losses for i, service in catalogue.services.items()}
    return {"rules.yml": rules(alerts, losses)} | {
        name: scrape_file(found) if found else {} for name, found in jobs.items()
    }


def _scrape_file_of(service: Service[Any], component: Component[Any]) -> str:
    if service.layer is Layer.CUSTOM:
        return _CUSTOM
    return _SERVICES if component.process else _CONTAINERS


_KEPT_TOO_LONG = Alert(
    name="PrometheusRetentionFails",
    query="time() - prometheus_tsdb_lowest_timestamp_seconds > prometheus_tsdb_retention_limit_seconds + 3 * 86400"
    " and prometheus_tsdb_retention_limit_seconds > 0",
    summary="metrics are days older than they may become: nothing deletes them, and the disk fills up",
    hint=f"arcctl logs {ID}",
)

_TELEMETRY = Telemetry(
    scrape=Scrape(PORT),
    signals={Signal.METRICS: find(_CALLS, patience=30)},
    rate=rate("prometheus_tsdb_head_samples_appended_total"),
    alerts=(_DOWN, _LOST, _KEPT_TOO_LONG),
    losses=(
        Loss(
            "samples dropped (too late, or twice for the same time)",
            (
                "prometheus_tsdb_out_of_order_samples_total",
                "prometheus_tsdb_too_old_samples_total",
                "prometheus_tsdb_out_of_bound_samples_total",
                "prometheus_target_scrapes_sample_duplicate_timestamp_total",
            ),
        ),
    ),
    lost=Call("ask what was lost", PORT, f"/api/v1/query?query={quote(f'{LOST} > 0')}", expect='"success"'),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Prometheus",
    layer=Layer.OBSERVABILITY,
    env=Env,
    container=Container(
        image="prom/prometheus:v3.14.0", has_nc=True, command=_OPTIONS, read_only=True, stop_grace=30, memory_mb=512
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        labels=lambda env: web(ID, PORT, env.project, guard=True),
        endpoints=lambda env: (ui(env.host_port),),
        connect=lambda env, where: {"PROMETHEUS_URL": f"http://{where.at(PORT)}"},
    ),
    storage=Storage(mounts=lambda env: (Volume("data", "/prometheus"), BindMount(ID, _FOLDER)), files=_files),
    checks=Checks(
        symptoms=(
            Symptom(
                cause=Cause.CONFIGURATION,
                pattern=r'Error loading .* err="(?P<words>.*?(?P<path>/[^\s:"]+): yaml: '
                r'.*?line (?P<line>\d+): [^"\n]*)',
            ),
            Symptom(cause=Cause.CONFIGURATION, pattern=r'Error loading .* err="(?P<words>[^\n]*)"'),
            Symptom(cause=Cause.LOCK, pattern="lock DB directory: resource temporarily unavailable"),
        ),
        healthcheck=answers(f"http://127.0.0.1:{PORT}/-/ready"),
        probe=lambda env: Http(PORT, "/-/ready", body="Ready"),
    ),
    limits=(
        Limit(
            "age of a sample",
            "10 minutes behind the newest",
            "nothing; it is dropped, the alert `DataLost` fires and `health` is degraded",
        ),
    ),
    backup=lambda env: Folder("data"),
    telemetry=_TELEMETRY,
    # A span is counted with the second flush after it; they come every 10 s.
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", *_OPTIONS, f"--web.listen-address=127.0.0.1:{PORT}"),
        patches=lambda env: {f"{_FOLDER}/{_CONTAINERS}": {"scrape_configs": []}},
    ),
)
