"""OpenTelemetry Collector: the one door for traces, metrics and logs."""

from __future__ import annotations

from arcctl.core.env import HostPort, ServiceEnv
from arcctl.core.model import Bind, Layer, Limits, Link, Port, Process, Service
from arcctl.core.monitoring import Alert, Monitoring, Panel, Unit
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Proof
from arcctl.core.sources import Collector
from arcctl.core.trace import Signal, otlp
from arcctl.services import jaeger, loki, prometheus

GRPC_PORT, HTTP_PORT, HEALTH_PORT = 4317, 4318, 13133
_CONFIG = "/etc/otelcol-contrib/config.yaml"
# Without a container, percents would be of the whole machine.
_MEMORY = {"limit_percentage": None, "spike_limit_percentage": None, "limit_mib": 192, "spike_limit_mib": 40}


SOURCE = Collector(
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
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{__name__.rpartition('.')[2].replace('_', '-')}:{GRPC_PORT}",
        "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=arc,deployment.environment.name=local",
    }


_PROBED = "arcctl-verify"
_PATHS = {"Spans": "traces", "Logs": "logs", "Metrics": "metrics"}


def _write(signal: str, scope: str, records: dict[str, object]) -> Call:
    """One record by OTLP over HTTP, with the run's trace id."""
    body = otlp(_PROBED, scope, records)
    return Call(name=f"write a {signal}", method="POST", port=HTTP_PORT, path=f"/v1/{_PATHS[scope]}", json=body)


def _proofs(env: Env) -> tuple[Proof, ...]:
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
    return (Calls(steps=steps),)


_SENT = ("spans", "metric_points", "log_records")
_MONITORING = Monitoring(
    memory='max(otelcol_process_memory_rss{job="$id"})',
    rate='sum(rate(otelcol_receiver_accepted_spans{job="$id"}[2m]))',
    panels=(
        Panel(
            title="Accepted",
            unit=Unit.OPERATIONS,
            queries={name: f"sum(rate(otelcol_receiver_accepted_{name}[2m]))" for name in _SENT},
        ),
        Panel(
            title="Refused",
            unit=Unit.OPERATIONS,
            queries={name: f"sum(rate(otelcol_receiver_refused_{name}[2m]))" for name in _SENT},
        ),
        Panel(
            title="Sent",
            unit=Unit.OPERATIONS,
            queries={
                f"{name} by {{{{exporter}}}}": f"sum by (exporter) (rate(otelcol_exporter_sent_{name}[2m]))"
                for name in _SENT
            },
        ),
        Panel(title="Waiting to be sent", queries={"{{exporter}}": "sum by (exporter) (otelcol_exporter_queue_size)"}),
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
    module=__name__,
    title="OpenTelemetry Collector",
    layer=Layer.OBSERVABILITY,
    env=Env,
    image="otel/opentelemetry-collector-contrib:0.161.0",
    needs=(loki.SERVICE, prometheus.SERVICE, jaeger.SERVICE),
    ports=lambda env: (
        Port(container=GRPC_PORT, host=env.grpc_port, name="otlp-grpc"),
        Port(container=HTTP_PORT, host=env.http_port, name="otlp-http"),
        Port(container=HEALTH_PORT, host=env.health_port, name="health"),
    ),
    command=(f"--config={_CONFIG}",),
    environment=lambda env: {"GOMEMLIMIT": "200MiB"},
    mounts=lambda env: (Bind("otel-collector/config.yaml", _CONFIG),),
    read_only=True,
    limits=Limits(memory_mb=256),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"--config={_CONFIG}"),
        environment=lambda env: {"METRICS_HOST": "127.0.0.1"},
        patches=lambda env: {_CONFIG: {"processors": {"memory_limiter": _MEMORY}}},
    ),
    monitoring=_MONITORING,
    probe=lambda env: Http(port=HEALTH_PORT, body="Server available"),
    proofs=_proofs,
    signals={Signal.INTAKE: Call(name="take a trace", method="POST", port=HTTP_PORT, path="/v1/traces")},
    connect=lambda env, where: {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{where.at(HTTP_PORT)}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    },
    links=lambda env: (
        Link(name="otlp-grpc", url=f"http://127.0.0.1:{env.grpc_port}"),
        Link(name="otlp-http", url=f"http://127.0.0.1:{env.http_port}"),
    ),
)
