"""OpenTelemetry Collector: receives traces, metrics and logs and sends them to the stores."""

from __future__ import annotations

from arcctl.model.binaries import OtelCollector
from arcctl.model.connection import Endpoint
from arcctl.model.env import HostPort, ServiceEnv
from arcctl.model.probe import Http
from arcctl.model.service import (
    BindMount,
    Checks,
    Container,
    Layer,
    Network,
    Port,
    Process,
    Service,
    Storage,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, SmokeTest
from arcctl.model.telemetry import Alert, Panel, Scrape, Signal, Telemetry, Unit, otlp, rate
from arcctl.services import jaeger, loki, prometheus

ID = service_id(__name__)
GRPC_PORT, HTTP_PORT, HEALTH_PORT = 4317, 4318, 13133
_CONFIG = "/etc/otelcol-contrib/config.yaml"
# Without a container, percents would be of the whole machine.
_MEMORY = {"limit_percentage": None, "spike_limit_percentage": None, "limit_mib": 192, "spike_limit_mib": 40}


SOURCE = OtelCollector(
    name="otelcol",
    builder="go.opentelemetry.io/collector/cmd/builder@v0.153.0",
    manifest="otelcol.yaml",
    program="otelcol-contrib",
    minutes=7,
)


class Env(ServiceEnv, env_prefix="OTEL_COLLECTOR_"):
    grpc_port: HostPort = GRPC_PORT
    """Port for OTLP over gRPC on the host's loopback address."""
    http_port: HostPort = HTTP_PORT
    """Port for OTLP over HTTP on the host's loopback address."""
    health_port: HostPort = HEALTH_PORT
    """Port of the health endpoint on the host's loopback address."""


def exporting(service: str) -> dict[str, str]:
    """Variables with which a program sends what it has to tell, under the name of its service."""
    return {
        "OTEL_SERVICE_NAME": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{ID}:{GRPC_PORT}",
        "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=arc,deployment.environment.name=local",
    }


_PROBED = "arcctl-verify"
_PATHS = {"Spans": "traces", "Logs": "logs", "Metrics": "metrics"}


def _write(signal: str, scope: str, records: dict[str, object]) -> Call:
    """One record by OTLP over HTTP, with the run's trace id."""
    body = otlp(_PROBED, scope, records)
    return Call(f"write a {signal}", HTTP_PORT, f"/v1/{_PATHS[scope]}", method="POST", json=body)


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """A span, a log line and a metric with one trace id go in here and come out of the three stores."""
    ids = {"traceId": "{trace_id}", "spanId": "{span_id}"}
    times = {"startTimeUnixNano": "{now_ns}", "endTimeUnixNano": "{now_ns}"}
    span = {**ids, **times, "name": "verify", "kind": 1}
    line = {**ids, "timeUnixNano": "{now_ns}", "severityText": "INFO", "body": {"stringValue": "verify {trace_id}"}}
    point = {
        "timeUnixNano": "{now_ns}",
        "asInt": "1",
        "attributes": [{"key": "run", "value": {"stringValue": "{run}"}}],
    }
    metric = {"name": "arcctl_verify", "gauge": {"dataPoints": [point]}}
    steps = (
        _write("span", "Spans", {"spans": [span]}),
        _write("log line", "Logs", {"logRecords": [line]}),
        _write("metric", "Metrics", {"metrics": [metric]}),
        jaeger.FIND_TRACE,
        loki.find_trace(_PROBED),
        prometheus.find('arcctl_verify{run="{run}"}'),
    )
    return (Calls(steps),)


_SENT = ("spans", "metric_points", "log_records")
_TELEMETRY = Telemetry(
    scrape=Scrape(8888),
    signals={Signal.INTAKE: Call("take a trace", HTTP_PORT, "/v1/traces", method="POST")},
    memory='max(otelcol_process_memory_rss{job="$id"})',
    rate=rate('otelcol_receiver_accepted_spans{job="$id"}'),
    panels=(
        Panel("Accepted", {name: rate(f"otelcol_receiver_accepted_{name}") for name in _SENT}, Unit.OPERATIONS),
        Panel("Refused", {name: rate(f"otelcol_receiver_refused_{name}") for name in _SENT}, Unit.OPERATIONS),
        Panel(
            "Sent",
            {f"{name} by {{{{exporter}}}}": rate(f"otelcol_exporter_sent_{name}", "exporter") for name in _SENT},
            Unit.OPERATIONS,
        ),
        Panel("Waiting to be sent", {"{{exporter}}": "sum by (exporter) (otelcol_exporter_queue_size)"}),
    ),
    alerts=(
        Alert(
            name="CollectorCannotExport",
            query="sum(rate(otelcol_receiver_accepted_spans[2m])) > 0"
            f' and sum(rate(otelcol_exporter_sent_spans{{exporter=~".*/{jaeger.SERVICE.id}"}}[2m])) == 0',
            summary="spans come in, and none gets to the trace store",
            hint=f"arcctl health {jaeger.SERVICE.id}",
        ),
    ),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="OpenTelemetry Collector",
    layer=Layer.OBSERVABILITY,
    env=Env,
    needs=(loki.SERVICE, prometheus.SERVICE, jaeger.SERVICE),
    container=Container(
        image="otel/opentelemetry-collector-contrib:0.161.0",
        command=(f"--config={_CONFIG}",),
        environment=lambda env: {"GOMEMLIMIT": "200MiB"},
        read_only=True,
        memory_mb=256,
    ),
    network=Network(
        ports=lambda env: (
            Port(GRPC_PORT, env.grpc_port, "otlp-grpc"),
            Port(HTTP_PORT, env.http_port, "otlp-http"),
            Port(HEALTH_PORT, env.health_port, "health"),
        ),
        endpoints=lambda env: (
            Endpoint("otlp-grpc", f"http://127.0.0.1:{env.grpc_port}"),
            Endpoint("otlp-http", f"http://127.0.0.1:{env.http_port}"),
        ),
        connect=lambda env, where: {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{where.at(HTTP_PORT)}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        },
    ),
    storage=Storage(mounts=lambda env: (BindMount("otel-collector/config.yaml", _CONFIG),)),
    checks=Checks(probe=lambda env: Http(HEALTH_PORT, body="Server available"), smoke_tests=_smoke_tests),
    telemetry=_TELEMETRY,
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"--config={_CONFIG}"),
        environment=lambda env: {"METRICS_HOST": "127.0.0.1"},
        patches=lambda env: {_CONFIG: {"processors": {"memory_limiter": _MEMORY}}},
    ),
)
