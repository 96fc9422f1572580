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
    Network,
    Port,
    Process,
    Service,
    Storage,
    Volume,
    service_id,
)
from arcctl.model.smoke_test import Call
from arcctl.model.telemetry import Scrape, Signal, Telemetry, rate
from arcctl.services.presets.web import answers, ui, web

ID = service_id(__name__)
PORT, GRPC_PORT, HEALTH_PORT = 16686, 16685, 13133
_CONFIG = "/etc/jaeger/config.yaml"


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


def _loopback(env: Env) -> dict[str, dict[str, str]]:
    return {"http": {"endpoint": f"127.0.0.1:{env.host_port}"}, "grpc": {"endpoint": f"127.0.0.1:{GRPC_PORT}"}}


FIND_TRACE = Call(
    "find the trace in the trace store", PORT, "/api/v3/traces/{trace_id}", at=ID, expect="{trace_id}", patience=15
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Jaeger",
    layer=Layer.OBSERVABILITY,
    env=Env,
    container=Container(
        image="jaegertracing/jaeger:2.13.0",
        command=(f"--config={_CONFIG}",),
        environment=lambda env: {"GOMEMLIMIT": "400MiB"},
        read_only=True,
        stop_grace=30,
        memory_mb=512,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        labels=lambda env: web(ID, PORT, guard=True),
        endpoints=lambda env: (ui(env.host_port),),
        connect=lambda env, where: {"JAEGER_URL": f"http://{where.at(PORT)}"},
    ),
    storage=Storage(
        # The image's only writable folder is /tmp (mode 1777): a new volume mounted there stays writable for its user.
        mounts=lambda env: (Volume("data", "/tmp"), BindMount("jaeger/config.yaml", _CONFIG))
    ),
    checks=Checks(
        healthcheck=answers(f"http://127.0.0.1:{HEALTH_PORT}/status"),
        probe=lambda env: Http(PORT, "/api/v3/services", body="services"),
    ),
    backup=lambda env: Folder("data"),
    telemetry=Telemetry(
        scrape=Scrape(8888),
        signals={Signal.TRACE: FIND_TRACE},
        memory='max(otelcol_process_memory_rss_bytes{job="$id"})',
        rate=rate('otelcol_receiver_accepted_spans_total{job="$id"}'),
    ),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"--config={_CONFIG}"),
        environment=lambda env: {"METRICS_HOST": "127.0.0.1", "METRICS_PORT": "14888"},
        patches=lambda env: {_CONFIG: {"extensions": {"jaeger_query": _loopback(env)}}},
        # The collector has the usual numbers.
        ports={4317: 14317, 4318: 14318, HEALTH_PORT: 14133, 8888: 14888, GRPC_PORT: GRPC_PORT},
    ),
)
