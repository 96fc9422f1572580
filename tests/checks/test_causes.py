"""Why servers cannot run, in the lines that they really wrote, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from arcctl import services
from arcctl.checks.cause_report import GENERAL, CauseContext, RefusedPassword, explain, last_symptom
from arcctl.checks.causes import causes, no_backup
from arcctl.model.data_version import SERVERS_NOTE
from arcctl.model.host_ports import HostPort, PortOwner
from arcctl.model.probe import Answer
from arcctl.model.rotation import Rotation
from arcctl.model.service import BindMount, Catalogue, Port, Process
from arcctl.model.smoke_test import Sql
from arcctl.model.symptom import Cause, Symptom
from arcctl.project import Project
from arcctl.settings.resolve import any_secrets
from tests.fakes.catalogue import STORE, TOY, with_data_version
from tests.fakes.images import FakeImages
from tests.fakes.toy import Failing, FakeDirectory, FakePorts, Toy

CATALOGUE = services.load()
PG = "postgres  | 2026-11-29 11:29:44.583 UTC [28056] "
LOKI = "loki  | level=error ts=2026-11-29T11:28:41.719284097Z caller=log.go:223"
PROM = "prometheus  | time=2026-11-29T11:28:43.359Z level=ERROR source=main.go"

SAID: list[tuple[str, tuple[str, ...], Cause, str, dict[str, str]]] = [
    (
        "postgres",
        (
            f'{PG}LOG:  could not bind IPv4 address "127.0.0.1": Address already in use',
            f"{PG}HINT:  Is another postmaster already running on port 4999? If not, wait a few seconds and retry.",
            f'{PG}WARNING:  could not create listen socket for "127.0.0.1"',
            f"{PG}FATAL:  could not create any TCP/IP sockets",
        ),
        Cause.PORT,
        "Is another postmaster already running on port 4999",
        {"port": "4999"},
    ),
    (
        "redis",
        (
            "redis  | 1:M 29 Nov 2026 11:28:06.657 # Warning: Could not create server TCP listening socket"
            " 127.0.0.1:4999: bind: Address already in use",
            "redis  | 1:M 29 Nov 2026 11:28:06.657 # Failed listening on port 4999 (tcp), aborting.",
        ),
        Cause.PORT,
        "Failed listening on port 4999",
        {"port": "4999"},
    ),
    (
        "redis",
        (
            "redis  | 1:M 29 Nov 2026 11:28:06.657 # Warning: Could not create server TCP listening socket"
            " 127.0.0.1:79: bind: Permission denied",
            "redis  | 1:M 29 Nov 2026 11:28:06.657 # Failed listening on port 79 (tcp), aborting.",
        ),
        Cause.PERMISSION,
        "Failed listening on port 79",
        {"port": "79"},
    ),
    (
        "nats",
        (
            "nats  | [6675] 2026/11/29 11:28:06.477244 [FTL] Error listening on port: 127.0.0.1:4999,"
            ' "listen tcp 127.0.0.1:4999: bind: address already in use"',
        ),
        Cause.PORT,
        'listening on port: 127.0.0.1:4999, "listen tcp 127.0.0.1:4999: bind: address already in use',
        {"port": "4999"},
    ),
    (
        "loki",
        (f'{LOKI} msg="error running loki" err="listen tcp :9095: bind: address already in use\\nerror initialising"',),
        Cause.PORT,
        "listen tcp :9095: bind: address already in use",
        {"port": "9095"},
    ),
    (
        "prometheus",
        (
            f'{PROM}:1228 msg="Start listening for connections" component=web address=127.0.0.1:4999',
            f'{PROM}:1228 msg="Unable to start web listener" err="listen tcp 127.0.0.1:4999: bind: address already in'
            ' use"',
        ),
        Cause.PORT,
        'listener" err="listen tcp 127.0.0.1:4999: bind: address already in use',
        {"port": "4999"},
    ),
    (
        "otel-collector",
        (
            'otel-collector  | Error: cannot start pipelines: failed to start "otlp" receiver: listen tcp'
            " 127.0.0.1:4999: bind: address already in use",
        ),
        Cause.PORT,
        "listen tcp 127.0.0.1:4999: bind: address already in use",
        {"port": "4999"},
    ),
    (
        "jaeger",
        (
            "jaeger  | 2026/11/29 11:28:47 failed to start extensions: could not start jaeger-query:"
            " query server failed"
            " to initialize listener: listen tcp :16686: bind: address already in use",
        ),
        Cause.PORT,
        "listener: listen tcp :16686: bind: address already in use",
        {"port": "16686"},
    ),
    (
        "traefik",
        (
            'traefik  | {"level":"error","error":"command traefik error: error while building entryPoint traefik:'
            ' building listener: error opening listener: listen tcp :8080: bind: address already in use"}',
        ),
        Cause.PORT,
        "listener: error opening listener: listen tcp :8080: bind: address already in use",
        {"port": "8080"},
    ),
    (
        "unleash",
        ("unleash  | Error: listen EADDRINUSE: address already in use 127.0.0.1:4242",),
        Cause.PORT,
        "address already in use 127.0.0.1:4242",
        {"port": "4242"},
    ),
    (
        "swiss-army",
        (
            "swiss-army  | ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8081): address"
            " already in use",
        ),
        Cause.PORT,
        "on address ('127.0.0.1', 8081): address already in use",
        {"port": "8081"},
    ),
    (
        "traefik",
        ('traefik  | {"error":"error opening listener: listen tcp 127.0.0.1:80: bind: permission denied"}',),
        Cause.PERMISSION,
        "listener: listen tcp 127.0.0.1:80: bind: permission denied",
        {"port": "80"},
    ),
    (
        "unleash",
        ("unleash  | Error: listen EACCES: permission denied 127.0.0.1:80",),
        Cause.PERMISSION,
        "permission denied 127.0.0.1:80",
        {"port": "80"},
    ),
    (
        "prometheus",
        (
            f'{PROM}:990 msg="failed to initialize active query tracker" err="create mmap-ed active query log: open'
            ' /tmp/pd/queries.active: permission denied"',
        ),
        Cause.PERMISSION,
        'time=2026-11-29T11:28:43.359Z level=ERROR source=main.go:990 msg="failed to initialize active query tracker"'
        ' err="create mmap-ed active query log: open /tmp/pd/queries.active: permission denied"',
        {"path": "/tmp/pd/queries.active"},
    ),
    (
        "postgres",
        (
            f'{PG}FATAL:  data directory "/var/pg" has invalid permissions',
            f"{PG}DETAIL:  Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).",
        ),
        Cause.PERMISSION,
        'data directory "/var/pg" has invalid permissions',
        {"path": "/var/pg"},
    ),
    (
        "postgres",
        (
            'postgres  | postgres: could not access the server configuration file "/d/postgresql.conf": Permission'
            " denied",
        ),
        Cause.PERMISSION,
        'postgres: could not access the server configuration file "/d/postgresql.conf": Permission denied',
        {"path": "/d/postgresql.conf"},
    ),
    (
        "unleash",
        ("unleash  | Error: EACCES: permission denied, open '/run/arc/env'",),
        Cause.PERMISSION,
        "Error: EACCES: permission denied, open '/run/arc/env'",
        {"path": "/run/arc/env"},
    ),
    (
        "redis",
        (
            "redis  | *** FATAL CONFIG FILE ERROR (Version 9.1.2) ***",
            "redis  | Reading the configuration file, at line 3",
            "redis  | >>> 'dir /data/redis'",
            "redis  | Permission denied",
        ),
        Cause.PERMISSION,
        ">>> 'dir /data/redis' Permission denied",
        {"path": "/data/redis"},
    ),
    (
        "pulsar",
        ("pulsar  | setting the limit: Operation not permitted",),
        Cause.PERMISSION,
        "setting the limit: Operation not permitted",
        {},
    ),
    (
        "postgres",
        (
            f"{PG}FATAL:  database files are incompatible with server",
            f"{PG}DETAIL:  The data directory was initialized by PostgreSQL version 16, which is not compatible with"
            " this version 18.1.",
        ),
        Cause.VERSION,
        "The data directory was initialized by PostgreSQL version 16, which is not compatible with this version 18.1.",
        {"version": "16"},
    ),
    (
        "redis",
        (
            "redis  | 5570:M 29 Nov 2026 11:30:31.760 # Can't handle RDB format version 99",
            "redis  | 5570:M 29 Nov 2026 11:30:31.760 # Fatal error loading the DB, check server logs. Exiting.",
        ),
        Cause.VERSION,
        "Can't handle RDB format version 99",
        {},
    ),
    (
        "postgres",
        (
            f'{PG}FATAL:  lock file "postmaster.pid" already exists',
            f'{PG}HINT:  Is another postmaster (PID 28202) running in data directory "/var/pg"?',
        ),
        Cause.LOCK,
        'lock file "postmaster.pid" already exists',
        {"pid": "28202", "folder": "/var/pg"},
    ),
    (
        "prometheus",
        (
            f'{PROM}:1624 msg="Fatal error" err="opening storage failed: lock DB directory: resource temporarily'
            ' unavailable"',
        ),
        Cause.LOCK,
        "lock DB directory: resource temporarily unavailable",
        {},
    ),
    (
        "kratos",
        (
            'kratos  | {"error":{"message":"failed SASL auth: FATAL: password authentication failed for user'
            ' \\"kratos\\" (SQLSTATE 28P01)"}}',
        ),
        Cause.PASSWORD,
        'password authentication failed for user \\"kratos',
        {"user": "kratos"},
    ),
    (
        "kratos",
        ('kratos-db  | psql: error: connection failed: FATAL:  password authentication failed for user "postgres"',),
        Cause.PASSWORD,
        'password authentication failed for user "postgres',
        {"user": "postgres"},
    ),
    (
        "loki",
        ("loki  | write /loki/wal/00000: no space left on device",),
        Cause.SPACE,
        "write /loki/wal/00000: no space left on device",
        {},
    ),
    (
        "redis",
        (
            "redis  | *** FATAL CONFIG FILE ERROR (Version 9.1.2) ***",
            "redis  | Reading the configuration file, at line 3",
            "redis  | >>> 'maxmemory-polic noeviction'",
            "redis  | Bad directive or wrong number of arguments",
        ),
        Cause.CONFIGURATION,
        ">>> 'maxmemory-polic noeviction' Bad directive or wrong number of arguments",
        {"line": "3"},
    ),
    (
        "nats",
        ('nats  | nats-server: /run/etc/nats/arc.conf:3:1: unknown field "foo_bar"',),
        Cause.CONFIGURATION,
        '/run/etc/nats/arc.conf:3:1: unknown field "foo_bar"',
        {"path": "/run/etc/nats/arc.conf", "line": "3"},
    ),
    (
        "nats",
        ("nats  | nats-server: Parse error on line 5: 'Expected a map value terminator'",),
        Cause.CONFIGURATION,
        "Parse error on line 5: 'Expected a map value terminator'",
        {"line": "5"},
    ),
    (
        "loki",
        (
            "loki  | failed parsing config: /etc/loki/config.yaml: yaml: unmarshal errors:",
            "loki  |   line 3: field http_listen_portt not found in type server.Config. Use `-config.expand-env=true`"
            " flag",
        ),
        Cause.CONFIGURATION,
        "/etc/loki/config.yaml: yaml: unmarshal errors: line 3: field http_listen_portt not found"
        " in type server.Config",
        {"path": "/etc/loki/config.yaml", "line": "3"},
    ),
    (
        "prometheus",
        (
            f'{PROM}:751 msg="Error loading config (--config.file=/x/prometheus.yml)"'
            f' file=/x/prometheus.yml err="parsing'
            " YAML file /x/prometheus.yml: yaml: unmarshal errors:\\n  line 1: field foo not found in"
            ' type config.plain"',
        ),
        Cause.CONFIGURATION,
        "parsing YAML file /x/prometheus.yml: yaml: unmarshal errors:\\n line 1: field foo not found in type"
        " config.plain",
        {"path": "/x/prometheus.yml", "line": "1"},
    ),
    (
        "otel-collector",
        (
            "otel-collector  | Error: failed to get config: cannot unmarshal the configuration: decoding failed due to"
            " the following error(s):",
            "otel-collector  | ",
            "otel-collector  | 'processors' error reading configuration for \"memory_limiter\": decoding failed",
            "otel-collector  | ",
            "otel-collector  | 'memorylimiter.Config' has invalid keys: check_intervall",
        ),
        Cause.CONFIGURATION,
        "cannot unmarshal the configuration: decoding failed due to the following error(s): 'processors' error reading"
        " configuration for \"memory_limiter\": decoding failed 'memorylimiter.Config' has invalid"
        " keys: check_intervall",
        {},
    ),
    (
        "otel-collector",
        (
            "otel-collector  | Error: failed to get config: cannot resolve the configuration: contents are not valid"
            " YAML: yaml: line 17: did not find expected ',' or ']'",
        ),
        Cause.CONFIGURATION,
        "cannot resolve the configuration: contents are not valid YAML: yaml: line 17: did not"
        " find expected ',' or ']'",
        {"line": "17"},
    ),
    (
        "traefik",
        ('traefik  | {"error":"command traefik error: yaml: line 22: did not find expected node","message":"x"}',),
        Cause.CONFIGURATION,
        "yaml: line 22: did not find expected node",
        {"line": "22"},
    ),
    (
        "kratos",
        (
            "kratos  | ",
            "kratos  | The configuration contains values or keys which are invalid:",
            "kratos  | (root)",
            'kratos  | ^-- additionalProperties "nonsense" not allowed',
            "kratos  | ",
        ),
        Cause.CONFIGURATION,
        '(root) ^-- additionalProperties "nonsense" not allowed',
        {},
    ),
    (
        "postgres",
        (
            f'{PG}LOG:  syntax error in file "/d/postgresql.conf" line 885, near token "="',
            f'{PG}FATAL:  configuration file "/d/postgresql.conf" contains errors',
        ),
        Cause.CONFIGURATION,
        'syntax error in file "/d/postgresql.conf" line 885, near token "="',
        {"path": "/d/postgresql.conf", "line": "885"},
    ),
]


@pytest.mark.parametrize(
    ("service", "lines", "cause", "words", "groups"), SAID, ids=[f"{said[0]} {said[2]}" for said in SAID]
)
def test_the_cause_is_read_from_the_real_lines_of_a_server(
    service: str, lines: tuple[str, ...], cause: Cause, words: str, groups: dict[str, str]
) -> None:
    found = last_symptom((*CATALOGUE.services[service].checks.symptoms, *GENERAL), (f"{service}  | starting", *lines))
    assert found is not None
    rest = {name: value for name, value in found.groups.items() if name != "words"}
    assert (found.symptom.cause, found.words, rest) == (cause, words, groups)


@pytest.mark.parametrize(
    "line", ["ready", "ERROR:  permission denied for table flags", "11:22:33 is already in use", "listening on :80"]
)
def test_other_lines_are_no_cause(line: str) -> None:
    for service in CATALOGUE.services.values():
        assert last_symptom((*service.checks.symptoms, *GENERAL), [f"{service.id}  | {line}"]) is None


def test_the_last_cause_counts() -> None:
    lines = ["x: no space left on device", "listen tcp :80: bind: permission denied", "x: disk quota exceeded", "bye"]
    found = last_symptom(GENERAL, lines)
    assert found is not None
    assert (found.symptom.cause, found.words) == (Cause.SPACE, "x: disk quota exceeded")


AGAIN = "arcctl up store"
PORT = HostPort(number=7000, service="store", component="store", setting="HOST_PORT")
CONTEXT = CauseContext(service="store", user="keeper", volumes=("arc_store_data",))


@pytest.mark.parametrize(
    ("cause", "line", "context", "message", "hint"),
    [
        (
            Cause.PORT,
            "in use :7000",
            replace(CONTEXT, port=PORT, port_owner=PortOwner("nginx (pid 4)"), free_port=7001),
            "cannot listen on port 7000, which is used by nginx (pid 4)",
            f"arcctl config set store HOST_PORT 7001, then {AGAIN}",
        ),
        (
            Cause.PORT,
            "in use",
            replace(
                CONTEXT, port=replace(PORT, setting=""), port_owner=PortOwner("loki (pid 4)", "/srv/b"), free_port=7001
            ),
            "cannot listen on port 7000, which is used by loki (pid 4) of the project /srv/b",
            f"arcctl --project-directory /srv/b down, then {AGAIN}",
        ),
        (
            Cause.PORT,
            "in use",
            replace(CONTEXT, port=PORT, free_port=7001),
            "could not listen on port 7000, which is free by now",
            AGAIN,
        ),
        (Cause.PORT, "in use", CONTEXT, "cannot listen: in use", "arcctl doctor"),
        (
            Cause.PERMISSION,
            "denied",
            replace(CONTEXT, port=replace(PORT, number=80), free_port=8080),
            "cannot listen on port 80: only root may use those below 1024",
            f"arcctl config set store HOST_PORT 8080, then {AGAIN}",
        ),
        (
            Cause.PERMISSION,
            "denied",
            replace(CONTEXT, port=replace(PORT, number=80, setting="")),
            "cannot listen on port 80: only root may use those below 1024",
            "arcctl doctor",
        ),
        (
            Cause.PERMISSION,
            "denied path=/srv/data",
            CONTEXT,
            "cannot use /srv/data: permission denied for the user keeper",
            f"sudo chown -R keeper /srv/data; sudo chmod -R u+rwX,go-rwx /srv/data; {AGAIN}",
        ),
        (
            Cause.PERMISSION,
            "denied path=/etc/ssl",
            replace(CONTEXT, path_is_own=False),
            "cannot use /etc/ssl: permission denied for the user keeper",
            f"ls -ld /etc/ssl, and let that user use it, then {AGAIN}",
        ),
        (
            Cause.PERMISSION,
            "denied path=/data/x",
            replace(CONTEXT, local=False),
            "cannot use /data/x: permission denied for the user keeper",
            f"give /data/x in the volume arc_store_data to the user keeper, then {AGAIN}",
        ),
        (
            Cause.PERMISSION,
            "denied path=/etc/store.conf",
            replace(CONTEXT, local=False, config_file="config/store/store.conf", user=""),
            "cannot use /etc/store.conf: permission denied",
            f"arcctl doctor --fix, then {AGAIN}",
        ),
        (
            Cause.PERMISSION,
            "denied",
            CONTEXT,
            "is not allowed for the user keeper: denied",
            f"arcctl doctor --fix, then {AGAIN}",
        ),
        (
            Cause.VERSION,
            "data of 7",
            replace(CONTEXT, earlier_version="pip install store==7"),
            "cannot read its data, which is of another version: data of 7",
            f"pip install store==7, then {AGAIN}",
        ),
        (
            Cause.VERSION,
            "data of 7",
            CONTEXT,
            "cannot read its data, which is of another version: data of 7",
            f"install the version of its package that wrote the data, then {AGAIN}",
        ),
        (
            Cause.VERSION,
            "data of 7",
            replace(CONTEXT, local=False),
            "cannot read its data, which is of another version: data of 7",
            f"set the IMAGE_TAG of store to that of the image that wrote the data, then {AGAIN}",
        ),
        (
            Cause.LOCK,
            "locked pid=12 folder=/srv/data",
            CONTEXT,
            "cannot use its data, which another process uses: locked pid=12 folder=/srv/data",
            f"ps 12; where that is no store: mv /srv/data/store.pid /srv/data/store.pid.old, then {AGAIN}",
        ),
        (
            Cause.LOCK,
            "locked pid=12 folder=/srv/a;b",
            CONTEXT,
            "cannot use its data, which another process uses: locked pid=12 folder=/srv/a;b",
            f"ps 12; where that is no store: mv '/srv/a;b/store.pid' '/srv/a;b/store.pid'.old, then {AGAIN}",
        ),
        (
            Cause.LOCK,
            "locked",
            CONTEXT,
            "cannot use its data, which another process uses: locked",
            f"arcctl down, then {AGAIN}",
        ),
        (
            Cause.LOCK,
            "locked pid=12 folder=/srv/data",
            replace(CONTEXT, local=False, volumes=("arc_store_data",)),
            "cannot use its data, which another process uses: locked pid=12 folder=/srv/data",
            f"see who uses it: docker ps --filter volume=arc_store_data; then {AGAIN}",
        ),
        (
            Cause.PASSWORD,
            "refused user=arc",
            replace(
                CONTEXT,
                password=RefusedPassword(
                    service="store", name="STORE_PASSWORD", origin="the environment", from_environment=True
                ),
            ),
            "cannot log in as arc: STORE_PASSWORD from the environment is refused",
            f"unset STORE_PASSWORD, then {AGAIN}",
        ),
        (
            Cause.PASSWORD,
            "refused",
            replace(
                CONTEXT,
                password=RefusedPassword(
                    service="store", name="STORE_PASSWORD", origin="config/store/.env", generated=True
                ),
            ),
            "cannot log in: STORE_PASSWORD from config/store/.env is refused",
            f"to go back to the generated one: arcctl config set store STORE_PASSWORD --unset, then {AGAIN}",
        ),
        (
            Cause.PASSWORD,
            "refused user=arc",
            replace(
                CONTEXT, password=RefusedPassword(service="store", name="STORE_PASSWORD", origin=".arcctl/secrets.env")
            ),
            "cannot log in as arc: STORE_PASSWORD from .arcctl/secrets.env is refused",
            f"put the value that the data was made with back into .arcctl/secrets.env, then {AGAIN}",
        ),
        (
            Cause.PASSWORD,
            "refused user=eve",
            CONTEXT,
            "cannot log in: refused user=eve",
            "to see where each value is from: arcctl config show",
        ),
        (Cause.SPACE, "full", CONTEXT, "cannot write: full", "arcctl doctor"),
        (
            Cause.CONFIGURATION,
            "odd line=3",
            replace(CONTEXT, config_file="config/store/store.conf"),
            "cannot read its configuration: odd line=3",
            f"correct config/store/store.conf, line 3, then {AGAIN}",
        ),
        (
            Cause.CONFIGURATION,
            "odd line=3",
            replace(CONTEXT, config_file="config/store/store.yaml", same_lines=False),
            "cannot read its configuration: odd line=3",
            f"correct config/store/store.yaml, then {AGAIN}",
        ),
        (
            Cause.CONFIGURATION,
            "odd path=/data/store.conf line=3",
            CONTEXT,
            "cannot read its configuration: odd path=/data/store.conf line=3",
            f"correct /data/store.conf, line 3, then {AGAIN}",
        ),
        (
            Cause.CONFIGURATION,
            "odd",
            CONTEXT,
            "cannot read its configuration: odd",
            "to see the settings: arcctl config show",
        ),
    ],
)
def test_each_cause_has_its_own_hint(cause: Cause, line: str, context: CauseContext, message: str, hint: str) -> None:
    fields = r"(?: path=(?P<path>\S+))?(?: pid=(?P<pid>\d+))?(?: folder=(?P<folder>\S+))?"
    said = rf"\w[^=]*?{fields}(?: line=(?P<line>\d+))?(?: user=(?P<user>\w+))?$"
    found = last_symptom((Symptom(cause=cause, pattern=said, file="store.pid"),), [line])
    assert found is not None
    told = explain(found, context)
    assert (told.message, told.hint, told.cause, told.status) == (message, hint, cause, "fail")


MOUNTS = (BindMount("store/store.conf", "/etc/store.conf"), BindMount("store/b", "/etc/b.yaml"))
LOCAL = Catalogue(
    {
        **TOY.services,
        "store": replace(
            STORE,
            process=Process(
                sources=(),
                command=lambda env: (),
                ports=lambda env: (Port(9, 7900),),
                patches=lambda env: {"/etc/b.yaml": {}},
            ),
            storage=replace(
                STORE.storage,
                mounts=lambda env: (
                    BindMount("store/store.conf", "/etc/store.conf"),
                    BindMount("store/b", "/etc/b.yaml"),
                ),
            ),
            rotations=(
                Rotation("password", lambda env: Sql(user="arc", password="x", port=1, database="arc", steps=())),
                *STORE.rotations,
            ),
            checks=replace(
                STORE.checks,
                symptoms=(Symptom(cause=Cause.CONFIGURATION, pattern=r"bad (?P<path>\S+):(?P<line>\d+)"),),
            ),
        ),
    }
)


def _hint(said: str, ports: dict[int, str] | None = None, key: str = "store", folder: str = "") -> tuple[str, str]:
    toy = Toy(engine=Failing(TOY, said=said, folder=folder), ports=FakePorts(ports or {}))
    return _told(replace(toy.project(), catalogue=LOCAL), key)


def _told(project: Project, key: str = "store") -> tuple[str, str]:
    project.directory.keep_secrets({"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret-" + "x" * 20})
    found = causes([key, "nobody"], project, no_backup)
    return (found[key].message, found[key].hint) if found else ("", "")


def test_the_port_of_the_log_is_told_with_its_owner_and_a_free_one() -> None:
    said, taken = "listen tcp 127.0.0.1:7000: bind: address already in use", {7000: "nginx (pid 4)", 7001: "x"}
    assert _hint(said, taken) == (
        "cannot listen on port 7000, which is used by nginx (pid 4)",
        f"arcctl config set store HOST_PORT 7002, then {AGAIN}",
    )
    assert _hint("bind: address already in use", {7900: ""}) == (
        "cannot listen on port 7900, which is used by another program",
        f"stop another program, then {AGAIN}",
    )
    assert _hint("bind: address already in use", {7900: "loki (pid 4) of the project /srv/my b"})[1] == (
        f"arcctl --project-directory '/srv/my b' down, then {AGAIN}"
    )
    assert _hint("bind: address already in use")[0] == "cannot listen: bind: address already in use"
    assert _hint("listen tcp :9999: bind: address already in use")[1] == "arcctl doctor"


def test_a_port_that_only_root_may_use_is_told_with_one_that_everybody_may_use() -> None:
    assert _hint("listen tcp :80: bind: permission denied", key="front")[1] == (
        "arcctl config set front HTTP_PORT 8080, then arcctl up front"
    )


def test_the_file_of_the_project_is_named_and_not_the_copy_that_the_server_reads() -> None:
    assert _hint("bad /var/run/etc/store.conf:3")[1] == f"correct config/store/store.conf, line 3, then {AGAIN}"
    assert _hint("bad /var/run/etc/b.yaml:3")[1] == f"correct config/store/b, then {AGAIN}"
    assert _hint("bad /data/own.conf:3")[1] == f"correct /data/own.conf, line 3, then {AGAIN}"


def test_only_a_path_of_the_project_is_given_to_the_user_of_the_server() -> None:
    assert _hint("open /var/arc/run/x: permission denied", folder="/var/arc")[1].startswith(
        "sudo chown -R keeper /var/arc/run/x"
    )
    for other in ("/var/arc/x", "/srv/project/config/x", "/var/arc/run/../../../etc"):
        assert _hint(f"open {other}: permission denied", folder="/var/arc")[1].startswith(f"ls -ld {other}")
    assert _hint("open /etc/x: permission denied", folder="/var/arc")[1].startswith("ls -ld /etc/x")


def test_a_path_is_one_word_of_the_command_whatever_the_log_says() -> None:
    assert _hint("open /var/arc/run/x;reboot: permission denied", folder="/var/arc")[1] == (
        f"sudo chown -R keeper '/var/arc/run/x;reboot'; sudo chmod -R u+rwX,go-rwx '/var/arc/run/x;reboot'; {AGAIN}"
    )


@pytest.mark.parametrize(
    ("environment", "file", "origin", "hint"),
    [
        ({"STORE_PASSWORD": "other-one"}, "", "the environment", f"unset STORE_PASSWORD, then {AGAIN}"),
        (
            {},
            "other-one",
            "config/store/.env",
            f"to go back to the generated one: arcctl config set store STORE_PASSWORD --unset, then {AGAIN}",
        ),
        ({}, "", "secrets", f"put the value that the data was made with back into secrets, then {AGAIN}"),
    ],
)
def test_a_refused_password_is_told_with_its_origin(
    environment: dict[str, str], file: str, origin: str, hint: str
) -> None:
    toy = Toy(
        engine=Failing(TOY, said='password authentication failed for user "arc"'),
        environment=environment,
        directory=FakeDirectory(env_files={"store": {"STORE_PASSWORD": file}} if file else {}),
    )
    project = replace(toy.project(), catalogue=LOCAL)
    assert _told(project) == (f"cannot log in as arc: STORE_PASSWORD from {origin} is refused", hint)


def test_the_password_of_an_unknown_user_has_no_origin() -> None:
    assert _hint('password authentication failed for user "eve"')[1].endswith("arcctl config show")


@pytest.mark.parametrize(
    ("service", "setting"),
    [("kratos", "KRATOS_DB_PASSWORD"), ("unleash", "UNLEASH_DB_PASSWORD"), ("infisical", "INFISICAL_DB_PASSWORD")],
)
def test_the_password_of_a_service_in_its_database_is_told_with_its_setting(service: str, setting: str) -> None:
    """In the words of the database, which every client repeats."""
    toy = Toy(engine=Failing(CATALOGUE, said=f'error: password authentication failed for user "{service}"'))
    project = replace(toy.project(), catalogue=CATALOGUE)
    project.directory.keep_secrets(any_secrets(CATALOGUE).values)
    found = causes([service], project, no_backup)[service]
    assert found.message == f"cannot log in as {service}: {setting} from secrets is refused"


def test_the_server_that_wrote_the_data_is_installed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcctl.checks.causes.install", lambda requirement: f"pip install {requirement}")
    version = replace(
        LOCAL.services["store"],
        checks=replace(STORE.checks, symptoms=(Symptom(cause=Cause.VERSION, pattern="old data"),)),
    )
    toy = Toy(engine=Failing(TOY, said="old data"))
    project = replace(toy.project(), catalogue=Catalogue({"store": version}))
    project.directory.keep_note(SERVERS_NOTE, {"store": "store-wheel 1.2"})
    assert _told(project)[1] == f"pip install store-wheel==1.2, then {AGAIN}"
    toy.engine.image_store = FakeImages()
    assert _told(project)[1] == f"set the IMAGE_TAG of store to that of the image that wrote the data, then {AGAIN}"


def test_the_image_that_reads_the_data_is_chosen_by_the_version_in_the_log() -> None:
    symptom = Symptom(cause=Cause.VERSION, pattern=r"data of (?P<version>\d+)")
    store = replace(with_data_version(LOCAL.services["store"]), checks=replace(STORE.checks, symptoms=(symptom,)))
    toy = Toy(engine=Failing(TOY, said="data of 7", image_store=FakeImages()))
    project = replace(toy.project(), catalogue=Catalogue({"store": store}))
    assert _told(project)[1] == f"arcctl config set store IMAGE_TAG 1.0-data7, then {AGAIN}"


def test_the_folder_with_the_data_is_named_where_the_line_names_none() -> None:
    symptom = Symptom(cause=Cause.PERMISSION, pattern="no directory", about_data=True)
    store = replace(LOCAL.services["store"], storage=STORE.storage, checks=replace(STORE.checks, symptoms=(symptom,)))
    toy = Toy(engine=Failing(TOY, said="no directory", folder="/var/arc"))
    project = replace(toy.project(), catalogue=Catalogue({"store": store}))
    folder = "/var/arc/data/arc_store_data"
    assert _told(project)[0] == f"cannot use {folder}: permission denied for the user keeper"
    assert _told(project)[1].startswith(f"sudo chown -R keeper {folder};")


def test_the_answer_of_a_server_that_runs_is_read_and_not_its_log() -> None:
    toy = Toy(engine=Failing(TOY, said="x: no space left on device"))
    project = replace(toy.project(), catalogue=LOCAL)
    project.directory.keep_secrets({"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret-0123456789"})
    refused = Answer(False, 'FATAL: password authentication failed for user "arc"')
    found = causes(["store"], project, no_backup, {"store": refused})
    assert found["store"].message == "cannot log in as arc: STORE_PASSWORD from secrets is refused"
    assert causes(["store"], project, no_backup, {"store": Answer(False, "no answer")}) == {}


def test_the_log_of_a_component_is_read_for_the_symptoms_of_its_service() -> None:
    assert _hint("x: no space left on device", key="shop-exporter") == (
        "cannot write: x: no space left on device",
        "arcctl doctor",
    )
    assert _hint("nothing special") == ("", "")


def test_what_an_earlier_run_said_is_no_cause_of_this_crash() -> None:
    @dataclass
    class StartedAgain(Failing):
        def logs_of_last_run(self, key: str, *, tail: str) -> Iterator[str]:
            yield f"{key}  | nothing special"

    toy = Toy(engine=StartedAgain(TOY, said="x: no space left on device"))
    assert _told(replace(toy.project(), catalogue=LOCAL)) == ("", "")
    assert _hint("x: no space left on device")[0].startswith("cannot write")
