"""Loki: the log store; takes OTLP natively."""

from __future__ import annotations

from urllib.parse import quote

from arcctl.core.backup import Folder
from arcctl.core.env import HostPort, ServiceEnv
from arcctl.core.model import Bind, Healthcheck, Layer, Limits, Link, Port, Process, Service, Volume
from arcctl.core.monitoring import Monitoring
from arcctl.core.probe import Http
from arcctl.core.proof import Call
from arcctl.core.sources import GoModule
from arcctl.core.trace import Signal

PORT, GRPC_PORT = 3100, 9095
_CONFIG = "/etc/loki/config.yaml"

_BUILD = "github.com/grafana/loki/v3/pkg/util/build"
SOURCE = GoModule(
    name="loki",
    module="github.com/grafana/loki/v3",
    version="v3.7.8",
    program="loki",
    minutes=5,
    packages=("./cmd/loki",),
    versions=((f"{_BUILD}.Version", "3.7.8"), (f"{_BUILD}.Branch", "arcctl")),
    drop_replace=("github.com/grafana/loki/pkg/push",),
)


class Env(ServiceEnv, env_prefix="LOKI_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""


def _loopback(env: Env) -> dict[str, str | int]:
    addresses = {"http_listen_address": "127.0.0.1", "grpc_listen_address": "127.0.0.1"}
    return {**addresses, "http_listen_port": env.host_port, "grpc_listen_port": GRPC_PORT}


def find_trace(service: str) -> Call:
    """The log lines of the run's trace; `service` is a regular expression."""
    query = quote(f'{{service_name=~"{service}"}} | trace_id="') + "{trace_id}" + quote('"')
    return Call(
        name="find the log in the log store",
        at=__name__.rpartition(".")[2],
        port=PORT,
        path=f"/loki/api/v1/query_range?limit=10&query={query}",
        expect="{trace_id}",
        patience=15,
    )


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Loki",
    layer=Layer.OBSERVABILITY,
    env=Env,
    image="grafana/loki:3.7.8",
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    command=(f"-config.file={_CONFIG}",),
    environment=lambda env: {"GOMEMLIMIT": "300MiB"},
    mounts=lambda env: (Volume("data", "/loki"), Bind("loki/config.yaml", _CONFIG)),
    read_only=True,
    tmpfs=("/tmp",),
    stop_grace=30,
    limits=Limits(memory_mb=384),
    healthcheck=Healthcheck(test=("CMD", "/usr/bin/loki", "-health")),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", f"-config.file={_CONFIG}"),
        patches=lambda env: {_CONFIG: {"server": _loopback(env)}},
        ports={GRPC_PORT: GRPC_PORT},
    ),
    monitoring=Monitoring(rate="sum(rate(loki_distributor_lines_received_total[2m]))"),
    backup=lambda env: Folder("data"),
    probe=lambda env: Http(port=PORT, path="/ready", body="ready"),
    signals={Signal.LOGS: find_trace(".+")},
    # LOKI_ADDR is what its own client, logcli, reads.
    connect=lambda env, where: dict.fromkeys(("LOKI_URL", "LOKI_ADDR"), f"http://{where.at(PORT)}"),
    links=lambda env: (Link(name="api", url=f"http://127.0.0.1:{env.host_port}"),),
)
