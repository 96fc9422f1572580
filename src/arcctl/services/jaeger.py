"""Jaeger: the trace store and its web UI."""

from __future__ import annotations

from arcctl.model.backup_method import Folder
from arcctl.model.binaries import GoModule
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
    Volume,
    service_id,
)
from arcctl.model.smoke_test import Call
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Loss, Scrape, Signal, Telemetry, rate
from arcctl.services.presets.collectors import SYMPTOMS, Memory
from arcctl.services.presets.web import answers, ui, web

ID = service_id(__name__)
PORT, GRPC_PORT, HEALTH_PORT, METRICS_PORT = 16686, 16685, 13133, 8888
_CONFIG = "/etc/jaeger/config.yaml"
_MEMORY = Memory(mb=1024, limit=80, spike=15)


# v2 tags are no importable module versions; v1.76.0 is the same commit as v2.13.0 and holds ./cmd/jaeger.
SOURCE = GoModule(
    name="jaeger",
    module="github.com/jaegertracing/jaeger",
    version="v1.76.0",
    program="jaeger",
    minutes=5,
    packages=("./cmd/jaeger",),
    versions=(("github.com/jaegertracing/jaeger/internal/version.latestVersion", "v2.13.0"),),
)


class Env(ServiceEnv, env_prefix="JAEGER_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    # The collector has the usual numbers.
    otlp_grpc_port: HostPort = 14317
    """Port for the collector's OTLP over gRPC, without Docker."""
    otlp_http_port: HostPort = 14318
    """Port for OTLP over HTTP, without Docker."""
    health_port: HostPort = 14133
    """Port of the health endpoint, without Docker."""
    metrics_port: HostPort = 14888
    """Port of its own metrics, without Docker."""
    grpc_port: HostPort = GRPC_PORT
    """Port of its query interface over gRPC, without Docker."""


def _loopback(env: Env) -> dict[str, dict[str, str]]:
    return {"http": {"endpoint": f"127.0.0.1:{PORT}"}, "grpc": {"endpoint": f"127.0.0.1:{GRPC_PORT}"}}


def find(what: str, trace_id: str, expect: str) -> Call:
    """A trace that holds this text."""
    return Call(
        f"find {what} in the trace store",
        PORT,
        f"/api/v3/traces/{trace_id}",
        at=ID,
        status=(200, 404),
        expect=expect,
        patience=15,
    )


FIND_TRACE = find("the trace", "{trace_id}", "{trace_id}")


SERVICE: Service[Env] = Service(
    id=ID,
    title="Jaeger",
    layer=Layer.OBSERVABILITY,
    env=Env,
    container=Container(
        image="jaegertracing/jaeger:2.13.0",
        has_nc=True,
        command=(f"--config={_CONFIG}",),
        environment=lambda env: _MEMORY.environment,
        read_only=True,
        stop_grace=30,
        memory_mb=_MEMORY.mb,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        labels=lambda env: web(ID, PORT, env.project, guard=True),
        endpoints=lambda env: (ui(env.host_port),),
        connect=lambda env, where: {"JAEGER_URL": f"http://{where.at(PORT)}"},
    ),
    storage=Storage(
        # The image's only writable folder is /tmp (mode 1777): a new volume mounted there stays writable for its user.
        mounts=lambda env: (Volume("data", "/tmp"), BindMount("jaeger/config.yaml", _CONFIG))
    ),
    checks=Checks(
        symptoms=(
            *SYMPTOMS,
            Symptom(cause=Cause.LOCK, pattern='Cannot acquire directory lock on "[^"\n]+"'),
        ),
        healthcheck=answers(f"http://127.0.0.1:{HEALTH_PORT}/status"),
        probe=lambda env: Http(PORT, "/api/v3/services", body="services"),
    ),
    limits=(
        Limit(
            "an attribute of a span, of its events or of its resource",
            "16 KiB",
            "nothing: Jaeger shows its beginning and names the trace that has it whole",
        ),
        Limit("a name of a span or of an event", "1 KiB", "the same"),
        Limit(
            "all attributes of a span together, cut as above",
            "about 10 MB, which is 600 long ones",
            "nothing; the collector tries for half an hour, `health` is degraded",
        ),
    ),
    backup=lambda env: Folder("data"),
    telemetry=Telemetry(
        scrape=Scrape(METRICS_PORT),
        signals={Signal.TRACE: FIND_TRACE},
        memory='max(otelcol_process_memory_rss_bytes{job="$id"})',
        rate=rate('otelcol_receiver_accepted_spans_total{job="$id"}'),
        losses=(
            Loss(
                "spans not stored at once (the collector sends them again for half an hour)",
                (f'otelcol_receiver_refused_spans_total{{job="{ID}"}}',),
            ),
        ),
    ),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"--config={_CONFIG}"),
        environment=lambda env: {
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(env.metrics_port),
            **_MEMORY.environment,
        },
        patches=lambda env: {
            _CONFIG: {
                "extensions": {"jaeger_query": _loopback(env)},
                "processors": {"memory_limiter": _MEMORY.limiter},
            }
        },
        ports=lambda env: (
            Port(4317, env.otlp_grpc_port, "otlp-grpc"),
            Port(4318, env.otlp_http_port, "otlp-http"),
            Port(HEALTH_PORT, env.health_port, "health"),
            Port(METRICS_PORT, env.metrics_port, "metrics"),
            Port(GRPC_PORT, env.grpc_port, "grpc"),
        ),
    ),
)
