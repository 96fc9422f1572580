"""Prometheus: the metric store; scrapes every service and takes OTLP."""

from __future__ import annotations

from urllib.parse import quote

from arcctl.core.backup import Folder
from arcctl.core.env import HostPort, ServiceEnv
from arcctl.core.model import Bind, Catalogue, Healthcheck, Layer, Limits, Link, Port, Process, Service, Volume
from arcctl.core.monitoring import Alert, Document, Monitoring, rules, scrape_file
from arcctl.core.probe import Http
from arcctl.core.proof import Call
from arcctl.core.sources import GoModule
from arcctl.core.trace import Signal
from arcctl.services._presets import web

PORT = 9090
_FOLDER = "/etc/prometheus"
_CONFIG = f"{_FOLDER}/prometheus.yml"
_OWN = "own.yml"
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
        name="find the metric in the metric store",
        at=__name__.rpartition(".")[2],
        port=PORT,
        path=f"/api/v1/query?query={quote(query, safe='{}')}",
        expect='"value"',
        patience=patience,
    )


_DOWN = Alert(
    name="ServiceDown",
    query="up == 0 and max_over_time(up[1h]) == 1",
    summary="{{ $labels.job }} was up within the last hour and does not answer any more",
    hint="arcctl health {{ $labels.job }}",
)


def _files(catalogue: Catalogue) -> dict[str, Document]:
    alerts = [alert for service in catalogue.services.values() for alert in service.monitoring.alerts]
    scrapes = {i: s.monitoring.scrape for i, s in catalogue.services.items() if s.monitoring.scrape}
    return {"rules.yml": rules(alerts), _OWN: scrape_file(scrapes) if scrapes else {}}


_MONITORING = Monitoring(rate="sum(rate(prometheus_tsdb_head_samples_appended_total[2m]))", alerts=(_DOWN,))


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Prometheus",
    layer=Layer.OBSERVABILITY,
    env=Env,
    image="prom/prometheus:v3.14.0",
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    command=_OPTIONS,
    mounts=lambda env: (Volume("data", "/prometheus"), Bind(__name__.rpartition(".")[2], _FOLDER)),
    labels=lambda env: web(__name__.rpartition(".")[2], PORT, guard=True),
    read_only=True,
    stop_grace=30,
    limits=Limits(memory_mb=512),
    healthcheck=Healthcheck(test=("CMD", "promtool", "check", "ready", f"--url=http://127.0.0.1:{PORT}")),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", *_OPTIONS, f"--web.listen-address=127.0.0.1:{env.host_port}"),
        # What runs in containers only has nothing to be read here.
        patches=lambda env: {_CONFIG: {"scrape_config_files": [_OWN]}},
    ),
    monitoring=_MONITORING,
    files=_files,
    backup=lambda env: Folder("data"),
    probe=lambda env: Http(port=PORT, path="/-/ready", body="Ready"),
    # A span is counted with the second flush after it; they come every 10 s.
    signals={Signal.METRICS: find(_CALLS, patience=30)},
    connect=lambda env, where: {"PROMETHEUS_URL": f"http://{where.at(PORT)}"},
    links=lambda env: (Link(name="ui", url=f"http://127.0.0.1:{env.host_port}", page=True),),
)
