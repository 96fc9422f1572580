"""swiss_army_py: the sample application, instrumented from end to end."""

from __future__ import annotations

from arcctl.core.env import HostPort, ServiceEnv
from arcctl.core.model import Healthcheck, Layer, Limits, Link, Port, Process, Service
from arcctl.core.monitoring import Monitoring, Panel, Store, Unit
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Proof
from arcctl.core.sources import Requirements
from arcctl.core.trace import Signal
from arcctl.services import jaeger, loki, otel_collector, prometheus
from arcctl.services._presets import web

PORT = 8080
PROJECT = "apps/swiss_army_py"
SOURCE = Requirements(name="swiss-army", lock=f"{PROJECT}/requirements.lock")


class Env(ServiceEnv, env_prefix="SWISS_ARMY_"):
    host_port: HostPort = 8081
    """Port on the host's loopback address."""
    metric_interval_ms: int = 10_000
    """Milliseconds between two exports of metrics."""


_COUNTED = "ondemand_runs_count_total"
_FRESH_SECONDS = 30
"""Age of a point that still shows that metrics arrive; a query by itself goes back five minutes."""
_WORK = Call(name="work on demand", port=PORT, path="/ondemand-work", take={"trace_id": "trace_id"})


def _proofs(env: Env) -> tuple[Proof, ...]:
    """Work on demand returns with its trace id, and what it told is found in the three stores."""
    name = __name__.rpartition(".")[2].replace("_", "-")
    points = f'timestamp({_COUNTED}{{job=~".*{name}"}})'
    counted = prometheus.find(f"{points} * 1e9 > {{now_ns}} - {_FRESH_SECONDS}e9")
    return (Calls(steps=(_WORK, jaeger.FIND_TRACE, loki.find_trace(name), counted)),)


_SERVER = 'service_name=~"$service", span_kind="SPAN_KIND_SERVER"'
_CALLS = f"traces_span_metrics_calls_total{{{_SERVER}}}"
_FAILED = f'traces_span_metrics_calls_total{{{_SERVER}, status_code="STATUS_CODE_ERROR"}}'
_BUCKETS = f"traces_span_metrics_duration_milliseconds_bucket{{{_SERVER}}}"
_MONITORING = Monitoring(
    up='max(target_info{service_name="$id"})',
    latency="",
    memory='max(process_memory_usage_bytes{service_name="$id"})',
    rate='sum(rate(traces_span_metrics_calls_total{service_name="$id"}[2m]))',
    choice="label_values(traces_span_metrics_calls_total, service_name)",
    panels=(
        Panel(
            title="Requests",
            unit=Unit.REQUESTS,
            queries={"{{span_name}}": f"sum by (span_name) (rate({_CALLS}[2m]))"},
        ),
        Panel(
            title="Failed requests",
            unit=Unit.REQUESTS,
            # Where none failed there is no such series: nothing of all of them is shown instead.
            queries={
                "{{span_name}}": f"sum by (span_name) (rate({_FAILED}[2m]))"
                f" or 0 * sum by (span_name) (rate({_CALLS}[2m]))"
            },
        ),
        Panel(
            title="95th percentile of duration",
            unit=Unit.MILLISECONDS,
            queries={"{{span_name}}": f"histogram_quantile(0.95, sum by (le, span_name) (rate({_BUCKETS}[2m])))"},
            exemplars=True,
        ),
        Panel(
            title="Runs",
            unit=Unit.OPERATIONS,
            queries={
                "background": "sum(rate(background_runs_count_total[2m]))",
                "on demand": f"sum(rate({_COUNTED}[2m]))",
            },
        ),
        Panel(title="Traces", store=Store.TRACES, queries={"": "$service"}),
        Panel(title="Logs", store=Store.LOGS, queries={"": '{service_name="$service"}'}),
    ),
)


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Sample application",
    layer=Layer.OBSERVABILITY,
    env=Env,
    image="arcctl/swiss-army:0.1.0",
    build=PROJECT,
    needs=(otel_collector.SERVICE,),
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    environment=lambda env: {
        "OTEL_SERVICE_NAME": __name__.rpartition(".")[2].replace("_", "-"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{otel_collector.SERVICE.id}:{otel_collector.GRPC_PORT}",
        "OTEL_METRIC_EXPORT_INTERVAL": str(env.metric_interval_ms),
        "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=arc,deployment.environment.name=local",
    },
    labels=lambda env: web(__name__.rpartition(".")[2].replace("_", "-"), PORT, guard=True),
    read_only=True,
    tmpfs=("/tmp",),
    limits=Limits(memory_mb=192, pids=128),
    healthcheck=Healthcheck(
        test=(
            "CMD",
            "python",
            "-c",
            f"import urllib.request as u; u.urlopen('http://127.0.0.1:{PORT}/health', timeout=3)",
        )
    ),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", "-m", "swiss_army", "--host", "127.0.0.1", "--port", str(env.host_port)),
        environment=lambda env: {"PYTHONPATH": "{home}/" + f"{PROJECT}/src", "PYTHONDONTWRITEBYTECODE": "1"},
    ),
    monitoring=_MONITORING,
    probe=lambda env: Http(port=PORT, path="/health", body="ok"),
    proofs=_proofs,
    signals={Signal.WORK: _WORK},
    links=lambda env: (
        Link(name="work", url=f"http://127.0.0.1:{env.host_port}/ondemand-work"),
        Link(name="health", url=f"http://127.0.0.1:{env.host_port}/health"),
    ),
)
