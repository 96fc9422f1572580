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
    Limit,
    Network,
    Port,
    Process,
    Service,
    Storage,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, SmokeTest
from arcctl.model.telemetry import (
    ENVIRONMENT,
    LOST,
    LOST_MINUTES,
    Alert,
    Loss,
    Panel,
    Scrape,
    Signal,
    Telemetry,
    Unit,
    otlp,
    rate,
)
from arcctl.services import jaeger, loki, prometheus
from arcctl.services.presets.collectors import SYMPTOMS, Memory

ID = service_id(__name__)
GRPC_PORT, HTTP_PORT, HEALTH_PORT = 4317, 4318, 13133
METRICS_PORT = 8888
_CONFIG = "/etc/otelcol-contrib/config.yaml"
_OPTIONS = (f"--config={_CONFIG}", "--feature-gates=ottl.functions.enableLambda")
"""Without lambdas a statement cannot look at every attribute."""


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
    metrics_port: HostPort = METRICS_PORT
    """Port of its own metrics, without Docker."""


_SIGNALS = ("TRACES", "METRICS", "LOGS", "PROFILES")
_SDK = ("HEADERS", "INSECURE", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY", "COMPRESSION", "TIMEOUT")
_OVERRIDES = (
    *(f"OTEL_EXPORTER_OTLP_{option}" for option in _SDK),
    *(f"OTEL_EXPORTER_OTLP_{s}_{option}" for s in _SIGNALS for option in ("ENDPOINT", "PROTOCOL", *_SDK)),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_CONFIG_FILE",
    "OTEL_EXPERIMENTAL_CONFIG_FILE",
)
"""What an SDK reads before, or beside, the two variables that `connect` sets."""


def exporting(service: str, project: str) -> dict[str, str]:
    """Variables with which a program sends what it has to tell, under the name of its service."""
    return {
        "OTEL_SERVICE_NAME": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{ID}:{GRPC_PORT}",
        "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace=arc,{ENVIRONMENT}={project}",
    }


_MEMORY = Memory(mb=2048, limit=60, spike=20)
"""Requests are refused at two fifths: those that are read at that moment take up to twice their size, a dozen of 64 MiB
together."""
_PROBED = "arcctl-verify"
_PATHS = {"Spans": "traces", "Logs": "logs", "Metrics": "metrics"}


def _write(signal: str, scope: str, records: dict[str, object]) -> Call:
    """One record by OTLP over HTTP, with the run's trace id."""
    body = otlp(_PROBED, scope, records)
    return Call(f"write a {signal}", HTTP_PORT, f"/v1/{_PATHS[scope]}", method="POST", json=body)


_LARGE_SPAN, _END = "{run}{run}", "x and {run}"
_LARGE = f"{'x' * 5_000_000} and {{run}}"
"""Longer than what servers take by default: a key of 64 KB, a line of 256 KB, a gRPC message of 4 MB."""


def _span(span_id: str) -> dict[str, object]:
    times = {"startTimeUnixNano": "{now_ns}", "endTimeUnixNano": "{now_ns}"}
    return {"traceId": "{trace_id}", "spanId": span_id, **times, "name": "verify", "kind": 1}


def _line(text: str) -> dict[str, object]:
    ids = {"traceId": "{trace_id}", "spanId": "{span_id}"}
    return {**ids, "timeUnixNano": "{now_ns}", "severityText": "INFO", "body": {"stringValue": text}}


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """Spans, log lines and a metric with one trace id go in here and come out of the three stores."""
    span, line = _span("{span_id}"), _line("verify {trace_id}")
    large = _span(_LARGE_SPAN) | {"attributes": [{"key": "prompt", "value": {"stringValue": _LARGE}}]}
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
        _write("large span", "Spans", {"spans": [large]}),
        _write("large log line", "Logs", {"logRecords": [_line(_LARGE)]}),
        jaeger.FIND_TRACE,
        jaeger.find("the large span, cut,", "{trace_id}", f"bytes more in trace {_LARGE_SPAN * 2}"),
        jaeger.find("the whole large span", _LARGE_SPAN * 2, _END),
        loki.find_trace(_PROBED),
        loki.find_trace(_PROBED, "the large log line", _END),
        prometheus.find('arcctl_verify{run="{run}"}'),
    )
    return (Calls(steps),)


def _losses(records: str, store: str) -> tuple[Loss, ...]:
    """Senders repeat what is refused; what a store does not take is gone."""
    words = records.replace("_", " ")
    refused = (f"otelcol_receiver_refused_{records}", f"otelcol_receiver_failed_{records}")
    return (
        Loss(
            f"{words} refused (more at once than it can keep; senders are told to try again)",
            tuple(f'{c}{{job="{ID}"}}' for c in refused),
        ),
        Loss(
            f"{words} of batches that {store} did not take whole",
            (f'otelcol_exporter_send_failed_{records}{{job="{ID}"}}',),
        ),
    )


_SENT = {"spans": jaeger.ID, "metric_points": prometheus.ID, "log_records": loki.ID}
_TELEMETRY = Telemetry(
    scrape=Scrape(METRICS_PORT),
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
        Panel(f"Lost in the last {LOST_MINUTES} minutes", {"{{job}}: {{what}}": LOST}),
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
    losses=tuple(loss for records, store in _SENT.items() for loss in _losses(records, store)),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="OpenTelemetry Collector",
    layer=Layer.OBSERVABILITY,
    env=Env,
    needs=(loki.SERVICE, prometheus.SERVICE, jaeger.SERVICE),
    container=Container(
        image="otel/opentelemetry-collector-contrib:0.161.0",
        command=_OPTIONS,
        environment=lambda env: _MEMORY.environment,
        read_only=True,
        memory_mb=_MEMORY.mb,
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
        overrides=_OVERRIDES,
    ),
    storage=Storage(mounts=lambda env: (BindMount("otel-collector/config.yaml", _CONFIG),)),
    checks=Checks(
        symptoms=SYMPTOMS, probe=lambda env: Http(HEALTH_PORT, body="Server available"), smoke_tests=_smoke_tests
    ),
    limits=(
        Limit(
            "a request",
            "64 MiB",
            "gRPC `RESOURCE_EXHAUSTED`, HTTP 400; SDKs send less with a smaller `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`",
        ),
        Limit(
            "what waits for a store",
            "128 MiB for each of the three",
            "sending takes until there is room; SDKs send again what was not taken in their timeout",
        ),
        Limit(
            "its memory",
            "two fifths of 2 GiB",
            "gRPC `UNAVAILABLE`, HTTP 503: SDKs wait and send again; more than a dozen of 64 MiB at the same time"
            " end it: what waited for a store is lost, it is started again, and `health` is degraded",
        ),
        Limit(
            "time that a store does not answer",
            "30 minutes",
            "what has waited longer is lost; the alert `DataLost` fires and `health` is degraded",
        ),
    ),
    telemetry=_TELEMETRY,
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", *_OPTIONS),
        environment=lambda env: {
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(env.metrics_port),
            **_MEMORY.environment,
        },
        patches=lambda env: {_CONFIG: {"processors": {"memory_limiter": _MEMORY.limiter}}},
        ports=lambda env: (Port(METRICS_PORT, env.metrics_port, "metrics"),),
    ),
)
