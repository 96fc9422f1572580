"""swiss_army_py: the sample application, instrumented from end to end."""

from __future__ import annotations

from arcctl.model.binaries import Requirements
from arcctl.model.connection import Endpoint
from arcctl.model.env import NAME, HostPort, ServiceEnv
from arcctl.model.probe import Http
from arcctl.model.service import Checks, Container, Healthcheck, Layer, Network, Port, Process, Service, service_id
from arcctl.model.smoke_test import Call, Calls, SmokeTest
from arcctl.model.telemetry import Panel, Signal, Store, Telemetry, Unit, rate
from arcctl.services import jaeger, loki, otel_collector, prometheus
from arcctl.services.presets.web import web

ID = service_id(__name__)
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
_WORK = Call("work on demand", PORT, "/ondemand-work", take={"trace_id": "trace_id"})


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """Work on demand returns its trace id, and its telemetry is found in the three stores."""
    name = ID
    points = f'timestamp({_COUNTED}{{job=~".*{name}"}})'
    counted = prometheus.find(f"{points} * 1e9 > {{now_ns}} - {_FRESH_SECONDS}e9")
    return (Calls((_WORK, jaeger.FIND_TRACE, loki.find_trace(name), counted)),)


_SERVER = 'service_name=~"$service", span_kind="SPAN_KIND_SERVER"'
_CALLS = f"traces_span_metrics_calls_total{{{_SERVER}}}"
_FAILED = f'traces_span_metrics_calls_total{{{_SERVER}, status_code="STATUS_CODE_ERROR"}}'
_BUCKETS = f"traces_span_metrics_duration_milliseconds_bucket{{{_SERVER}}}"
_TELEMETRY = Telemetry(
    signals={Signal.WORK: _WORK},
    up='max(target_info{service_name="$id"})',
    latency="",
    memory='max(process_memory_usage_bytes{service_name="$id"})',
    rate=rate('traces_span_metrics_calls_total{service_name="$id"}'),
    choice="label_values(traces_span_metrics_calls_total, service_name)",
    panels=(
        Panel("Requests", {"{{span_name}}": rate(f"{_CALLS}", "span_name")}, Unit.REQUESTS),
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
            "95th percentile of duration",
            {"{{span_name}}": f"histogram_quantile(0.95, sum by (le, span_name) (rate({_BUCKETS}[2m])))"},
            Unit.MILLISECONDS,
            exemplars=True,
        ),
        Panel(
            "Runs",
            {"background": rate("background_runs_count_total"), "on demand": rate(f"{_COUNTED}")},
            Unit.OPERATIONS,
        ),
        Panel("Traces", {"": "$service"}, store=Store.TRACES),
        Panel("Logs", {"": '{service_name="$service"}'}, store=Store.LOGS),
    ),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Sample application",
    layer=Layer.OBSERVABILITY,
    env=Env,
    needs=(otel_collector.SERVICE,),
    container=Container(
        image=f"{NAME}-{ID}:0.1.0",
        init=True,
        has_nc=True,
        build=PROJECT,
        environment=lambda env: {
            **otel_collector.exporting(ID, env.project),
            "OTEL_METRIC_EXPORT_INTERVAL": str(env.metric_interval_ms),
        },
        read_only=True,
        tmpfs=("/tmp",),
        memory_mb=192,
        pids=128,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        labels=lambda env: web(ID, PORT, env.project, guard=True),
        endpoints=lambda env: (
            Endpoint("work", f"http://127.0.0.1:{env.host_port}/ondemand-work", is_web_page=True),
            Endpoint("health", f"http://127.0.0.1:{env.host_port}/health"),
        ),
    ),
    checks=Checks(
        healthcheck=Healthcheck(
            test=(
                "CMD",
                "python",
                "-c",
                f"import urllib.request as u; u.urlopen('http://127.0.0.1:{PORT}/health', timeout=3)",
            )
        ),
        probe=lambda env: Http(PORT, "/health", body="ok"),
        smoke_tests=_smoke_tests,
    ),
    telemetry=_TELEMETRY,
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", "-m", "swiss_army", "--host", "127.0.0.1", "--port", str(env.host_port)),
        environment=lambda env: {"PYTHONPATH": "{directory}/" + f"{PROJECT}/src", "PYTHONDONTWRITEBYTECODE": "1"},
    ),
)
