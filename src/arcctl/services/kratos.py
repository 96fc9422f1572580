"""Ory Kratos: accounts, login and sessions; with Mailpit, which catches its mails."""

from __future__ import annotations

import json
from dataclasses import replace

from pydantic import SecretStr

from arcctl.model.binaries import GoModule
from arcctl.model.connection import Endpoint
from arcctl.model.data_store import PAGE, Identities
from arcctl.model.env import HostPort, generated, reveal, shared
from arcctl.model.probe import Http
from arcctl.model.resource import Resource
from arcctl.model.rotation import Fixed, Rotation
from arcctl.model.service import (
    BindMount,
    Checks,
    Component,
    ConfigFile,
    Container,
    Layer,
    Mount,
    Network,
    Port,
    Process,
    Role,
    Service,
    SetUp,
    Storage,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, SmokeTest
from arcctl.model.symptom import Cause, Symptom
from arcctl.model.telemetry import Scrape, Telemetry, Unit, rate
from arcctl.services import postgres, traefik
from arcctl.services.presets.web import answers, web

ID = service_id(__name__)
IMAGE = "oryd/kratos:v26.2.0"
UID = 10000
PORT, ADMIN_PORT = 4433, 4434
MAIL = "mailpit"
SMTP_PORT, MAIL_PORT = 1025, 8025
_FOLDER = f"/etc/{ID}"
_SECRETS = "/run/arc/secrets.yml"
_CONFIG = f"{_FOLDER}/kratos.yml"
_CONFIGS = ("-c", _CONFIG, "-c", _SECRETS)
# `-e` reads the address of the database from the configuration instead of from an argument.
_MIGRATION = ("migrate", "sql", "-e", "--yes", *_CONFIGS)
_SERVE = ("serve", *_CONFIGS, "--watch-courier", "--sqa-opt-out")

# The image declares both as volumes; otherwise each new container leaves two anonymous volumes.
_NO_VOLUMES = ("/home/ory", "/var/lib/sqlite")


# The newest that the module proxy has: later tags lack the suffix that a module of that version must have.
SOURCE = GoModule(
    name="kratos",
    module="github.com/ory/kratos",
    version="v1.3.1",
    program="kratos",
    minutes=2,
    versions=(("github.com/ory/kratos/driver/config.Version", "v1.3.1"),),
    drop_replace=("github.com/ory/client-go",),
)
MAIL_SOURCE = GoModule(
    name="mailpit",
    module="github.com/axllent/mailpit",
    version="v1.31.1",
    program="mailpit",
    minutes=1,
    versions=(("github.com/axllent/mailpit/config.Version", "v1.31.1"),),
)


class Env(postgres.ConsumerEnv, env_prefix="KRATOS_"):
    gateway_port: HostPort = shared("TRAEFIK_HTTP_PORT", traefik.HTTP_PORT)
    """Port of the gateway, which is in the addresses of its pages."""
    public_port: HostPort = PORT
    """Port of the public API on the host's loopback address."""
    admin_port: HostPort = ADMIN_PORT
    """Port of the admin API, which asks for no password, on the host's loopback address."""
    mail_port: HostPort = MAIL_PORT
    """Port of Mailpit's web page on the host's loopback address."""
    smtp_port: HostPort = SMTP_PORT
    """Port at which Mailpit takes mails, without Docker."""
    cookie_secret: SecretStr = generated()
    """Signs session cookies."""
    previous_cookie_secret: SecretStr = generated()
    """Signed session cookies before `cookie_secret` was changed; they are good for as long as this is known."""
    cipher_secret: SecretStr = generated(32, alphabet="hex")
    """Encrypts stored tokens; exactly 32 characters."""
    previous_cipher_secret: SecretStr = generated(32, alphabet="hex")
    """Encrypted stored tokens before `cipher_secret` was changed; exactly 32 characters."""
    admin_password: SecretStr = generated()
    """Password of the first account, `admin@arc.localhost`."""


def _newest_first(*secrets: SecretStr) -> str:
    """Kratos writes with the first and reads with all of them."""
    return json.dumps([reveal(secret) for secret in secrets])


def _secrets(env: Env) -> str:
    return (
        f'dsn: "{postgres.url(ID, env.db_password, "sslmode=disable&max_conns=20&max_idle_conns=4")}"\n'
        f"secrets:\n  cookie: {_newest_first(env.cookie_secret, env.previous_cookie_secret)}\n"
        f"  cipher: {_newest_first(env.cipher_secret, env.previous_cipher_secret)}\n"
        f'courier:\n  smtp:\n    connection_uri: "smtp://{MAIL}:{SMTP_PORT}/?disable_starttls=true"\n'
    )


def _mounts(env: Env) -> tuple[Mount, ...]:
    return (BindMount(ID, _FOLDER), ConfigFile(_SECRETS, _secrets(env), uid=UID, gid=UID))


def _environment(env: Env) -> dict[str, str]:
    """Forms and redirects lead to the address that browsers see."""
    return {"GOMEMLIMIT": "200MiB", "SERVE_PUBLIC_BASE_URL": f"http://{ID}.localhost:{env.gateway_port}/"}


def _loopback(env: Env) -> dict[str, dict[str, str | int]]:
    ports = {"public": env.public_port, "admin": env.admin_port}
    return {name: {"host": "127.0.0.1", "port": port} for name, port in ports.items()}


_MIGRATE: Component[Env] = Component(
    id="kratos-migrate",
    role=Role.INIT,
    env=Env,
    container=Container(image=IMAGE, command=_MIGRATION, tmpfs=_NO_VOLUMES, memory_mb=128, pids=64),
    storage=Storage(mounts=_mounts),
    process=Process(sources=(SOURCE,), command=lambda env: ("{program}", *_MIGRATION)),
)

_MAIL: Component[Env] = Component(
    id=MAIL,
    role=Role.SIDECAR,
    env=Env,
    container=Container(
        image="axllent/mailpit:v1.31.1",
        user="65534:65534",
        environment=lambda env: {"MP_MAX_MESSAGES": "500", "MP_DISABLE_VERSION_CHECK": "true"},
        read_only=True,
        tmpfs=("/tmp",),
        memory_mb=96,
        pids=64,
    ),
    network=Network(
        ports=lambda env: (Port(MAIL_PORT, env.mail_port),),
        labels=lambda env: web(MAIL, MAIL_PORT, env.project, guard=True),
    ),
    process=Process(
        sources=(MAIL_SOURCE,),
        command=lambda env: ("{program}", "--listen", f"127.0.0.1:{MAIL_PORT}", "--smtp", f"127.0.0.1:{SMTP_PORT}"),
        ports=lambda env: (Port(SMTP_PORT, env.smtp_port, "smtp"),),
    ),
)

_ADMIN = "admin@arc.localhost"
_IDENTITIES = Identities(
    page=Call("list accounts", ADMIN_PORT, f"/admin/identities?page_size={PAGE}&page_token={{after}}")
)
_EMAIL, _PASSWORD = "arcctl-verify@arc.localhost", "a long passphrase {run}"


def _create(email: str, password: str) -> Call:
    identity = {
        "schema_id": "person",
        "traits": {"email": email},
        "credentials": {"password": {"config": {"password": password}}},
    }
    return Call("create an account", ADMIN_PORT, "/admin/identities", method="POST", json=identity, status=(201,))


def _find(email: str) -> Call:
    path = f"/admin/identities?credentials_identifier={email}"
    return Call("find the account", ADMIN_PORT, path, take={"old": "0.id"})


def _log_in(email: str, password: str) -> tuple[Call, Call]:
    """As a program does; takes `session`."""
    answer = {"method": "password", "identifier": email, "password": password}
    return (
        Call("begin a login", PORT, "/self-service/login/api", take={"flow": "id"}),
        Call(
            "log in",
            PORT,
            "/self-service/login?flow={flow}",
            method="POST",
            json=answer,
            take={"session": "session_token"},
        ),
    )


def _known(env: Env) -> Calls:
    return Calls(_log_in(_ADMIN, reveal(env.admin_password)))


def _change(old: Env, new: Env) -> tuple[SmokeTest, ...]:
    """The admin API replaces an account as a whole; the schema knows of nothing but the address."""
    made = _create(_ADMIN, reveal(new.admin_password))
    change = replace(
        made,
        name="change its password",
        method="PUT",
        path="/admin/identities/{old}",
        json={**made.json, "state": "active"},
        status=(200,),
    )
    return (Calls((_find(_ADMIN), change)),)


_OLDER = "it is the value before the last change of the setting without `PREVIOUS`"
_KEYS: tuple[Rotation[Env], ...] = tuple(
    Rotation(key, _known, kept_in=f"previous_{key}", is_login=False) for key in ("cookie_secret", "cipher_secret")
)
_ROTATIONS: tuple[Rotation[Env] | Fixed, ...] = (
    postgres.role_rotation(ID, "db_password", superuser="superuser"),
    *_KEYS,
    *(Fixed(key.kept_in, _OLDER, f"arcctl secrets rotate {ID}") for key in _KEYS),
    Rotation(
        "admin_password", _known, add_credential=_change, by_hand=f"change the password of {_ADMIN} by a recovery"
    ),
)


def _resources(env: Env) -> tuple[Resource, ...]:
    secret = reveal(env.admin_password)
    hint = f"the account has another password: set KRATOS_ADMIN_PASSWORD in config/{ID}/.env to it"
    look, make = _known(env), Calls((_create(_ADMIN, secret),))
    account = Resource(f"account {_ADMIN}", look, create=(make,), hint=hint)
    return (*postgres.service_database(ID, env.db_password, env.superuser), account)


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """The life of an account, as a program uses it."""
    mailbox = f"/api/v1/search?query=to:{_EMAIL}"
    remove = Call("remove it", ADMIN_PORT, "/admin/identities/{old}", method="DELETE", status=(204,))
    steps = (
        _create(_EMAIL, _PASSWORD),
        *_log_in(_EMAIL, _PASSWORD),
        Call(
            "be known by the session", PORT, "/sessions/whoami", headers={"X-Session-Token": "{session}"}, expect=_EMAIL
        ),
        Call("begin a recovery", PORT, "/self-service/recovery/api", take={"recovery": "id"}),
        Call(
            "ask for a code by mail",
            PORT,
            "/self-service/recovery?flow={recovery}",
            method="POST",
            json={"method": "code", "email": _EMAIL},
        ),
        Call("receive the mail", MAIL_PORT, mailbox, at=MAIL, expect=_EMAIL, patience=8),
    )
    mails = Call("remove the mails", MAIL_PORT, mailbox, method="DELETE", at=MAIL)
    end = (_find(_EMAIL), remove)
    return (Calls((*steps, *end), cleanup=(mails, *end)), postgres.login(ID, env.db_password))


SERVICE: Service[Env] = Service(
    id=ID,
    title="Ory Kratos",
    layer=Layer.PLATFORM,
    env=Env,
    needs=(postgres.SERVICE,),
    components=(_MAIL, postgres.database(ID, Env), _MIGRATE),
    container=Container(image=IMAGE, command=_SERVE, environment=_environment, tmpfs=_NO_VOLUMES, memory_mb=256),
    network=Network(
        ports=lambda env: (
            Port(PORT, env.public_port, "public"),
            Port(ADMIN_PORT, env.admin_port, "admin"),
        ),
        labels=lambda env: web(ID, PORT, env.project),
        endpoints=lambda env: (
            Endpoint("public", f"http://127.0.0.1:{env.public_port}"),
            Endpoint("admin", f"http://127.0.0.1:{env.admin_port}"),
            Endpoint(
                "account",
                f"http://127.0.0.1:{env.public_port}/self-service/login/api",
                user=_ADMIN,
                secret=reveal(env.admin_password),
            ),
            Endpoint("mails", f"http://127.0.0.1:{env.mail_port}", is_web_page=True),
        ),
        connect=lambda env, where: {
            "KRATOS_PUBLIC_URL": f"http://{where.at(PORT)}",
            "KRATOS_ADMIN_URL": f"http://{where.at(ADMIN_PORT)}",
        },
    ),
    storage=Storage(mounts=_mounts, data_stores=lambda env: (_IDENTITIES,)),
    checks=Checks(
        symptoms=(
            Symptom(
                cause=Cause.CONFIGURATION,
                pattern=r"contains values or keys which are invalid:\n(?P<words>[^\n]*\n[^\n]*)(?:\n.*)*",
            ),
            Symptom(cause=Cause.CONFIGURATION, pattern=r"^(?:Error: )?(?P<words>yaml: line (?P<line>\d+): .*)"),
        ),
        healthcheck=answers(f"http://127.0.0.1:{ADMIN_PORT}/admin/health/ready"),
        # Ready means that the database answers and holds every migration.
        probe=lambda env: Http(ADMIN_PORT, "/admin/health/ready", body="ok"),
        smoke_tests=_smoke_tests,
    ),
    setup=SetUp(resources=_resources, migration=_MIGRATE.id),
    rotations=_ROTATIONS,
    telemetry=Telemetry(
        scrape=Scrape(ADMIN_PORT, "/admin/metrics/prometheus"),
        rate=rate('http_requests_total{job="$id"}'),
        unit=Unit.REQUESTS,
    ),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", *_SERVE),
        patches=lambda env: {_CONFIG: {"version": SOURCE.version, "serve": _loopback(env)}},
    ),
)
