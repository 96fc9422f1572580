"""Jaeger: the trace store and its web UI."""

from __future__ import annotations

from arcctl.core.backup import Folder
from arcctl.core.env import HostPort, ServiceEnv
from arcctl.core.model import Bind, Healthcheck, Layer, Limits, Link, Port, Process, Service, Volume
from arcctl.core.monitoring import Monitoring
from arcctl.core.probe import Http
from arcctl.core.proof import Call
from arcctl.core.sources import GoModule
from arcctl.core.trace import Signal
from arcctl.services._presets import web

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
    return {
        "http": {"endpoint": f"127.0.0.1:{env.host_port}"},
        "grpc": {"endpoint": f"127.0.0.1:{GRPC_PORT}"},
    }


FIND_TRACE = Call(
    name="find the trace in the trace store",
    at=__name__.rpartition(".")[2],
    port=PORT,
    path="/api/v3/traces/{trace_id}",
    expect="{trace_id}",
    patience=15,
)


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Jaeger",
    layer=Layer.OBSERVABILITY,
    env=Env,
    image="jaegertracing/jaeger:2.13.0",
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    command=(f"--config={_CONFIG}",),
    environment=lambda env: {"GOMEMLIMIT": "400MiB"},
    # The image's only writable folder is /tmp (mode 1777): a new volume mounted there stays writable for its user.
    mounts=lambda env: (Volume("data", "/tmp"), Bind("jaeger/config.yaml", _CONFIG)),
    labels=lambda env: web(__name__.rpartition(".")[2], PORT, guard=True),
    read_only=True,
    stop_grace=30,
    limits=Limits(memory_mb=512),
    healthcheck=Healthcheck(test=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{HEALTH_PORT}/status")),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"--config={_CONFIG}"),
        environment=lambda env: {"METRICS_HOST": "127.0.0.1", "METRICS_PORT": "14888"},
        patches=lambda env: {_CONFIG: {"extensions": {"jaeger_query": _loopback(env)}}},
        # The collector has the usual numbers.
        ports={4317: 14317, 4318: 14318, HEALTH_PORT: 14133, 8888: 14888, GRPC_PORT: GRPC_PORT},
    ),
    monitoring=Monitoring(
        memory='max(otelcol_process_memory_rss_bytes{job="$id"})',
        rate='sum(rate(otelcol_receiver_accepted_spans_total{job="$id"}[2m]))',
    ),
    backup=lambda env: Folder("data"),
    probe=lambda env: Http(port=PORT, path="/api/v3/services", body="services"),
    signals={Signal.TRACE: FIND_TRACE},
    connect=lambda env, where: {"JAEGER_URL": f"http://{where.at(PORT)}"},
    links=lambda env: (Link(name="ui", url=f"http://127.0.0.1:{env.host_port}", page=True),),
)
