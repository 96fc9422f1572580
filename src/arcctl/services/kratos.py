"""Ory Kratos: accounts, login and sessions; with Mailpit, which catches its mails."""

from __future__ import annotations

import json
from dataclasses import replace

from pydantic import SecretStr

from arcctl.core.bootstrap import Resource
from arcctl.core.contents import PAGE, Identities
from arcctl.core.env import HostPort, generated
from arcctl.core.model import Bind, Healthcheck, Helper, Inline, Layer, Limits, Link, Mount, Port, Process, Service
from arcctl.core.monitoring import Monitoring, Unit
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Proof
from arcctl.core.secret import Fixed, Rotation
from arcctl.core.sources import GoModule
from arcctl.services import postgres
from arcctl.services._presets import web

NAME = __name__.rpartition(".")[2]
IMAGE = "oryd/kratos:v1.3.1"
UID = 10000
PORT, ADMIN_PORT = 4433, 4434
MAIL = "mailpit"
SMTP_PORT, MAIL_PORT = 1025, 8025
_FOLDER = f"/etc/{NAME}"
_SECRETS = "/run/arc/secrets.yml"
_CONFIG = f"{_FOLDER}/kratos.yml"
_CONFIGS = ("-c", _CONFIG, "-c", _SECRETS)
# `-e` reads the address of the database from the configuration instead of from an argument.
_MIGRATION = ("migrate", "sql", "-e", "--yes", *_CONFIGS)
_SERVE = ("serve", *_CONFIGS, "--watch-courier", "--sqa-opt-out")

# The image declares both as volumes; left alone, each new container would leave two nameless ones behind.
_NO_VOLUMES = ("/home/ory", "/var/lib/sqlite")


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
    public_port: HostPort = PORT
    """Port of the public API on the host's loopback address."""
    admin_port: HostPort = ADMIN_PORT
    """Port of the admin API, which asks for no password, on the host's loopback address."""
    mail_port: HostPort = MAIL_PORT
    """Port of Mailpit's web page on the host's loopback address."""
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
    return json.dumps([secret.get_secret_value() for secret in secrets])


def _secrets(env: Env) -> str:
    return (
        f'dsn: "{postgres.url(NAME, env.db_password, "sslmode=disable&max_conns=20&max_idle_conns=4")}"\n'
        f"secrets:\n  cookie: {_newest_first(env.cookie_secret, env.previous_cookie_secret)}\n"
        f"  cipher: {_newest_first(env.cipher_secret, env.previous_cipher_secret)}\n"
        f'courier:\n  smtp:\n    connection_uri: "smtp://{MAIL}:{SMTP_PORT}/?disable_starttls=true"\n'
    )


def _mounts(env: Env) -> tuple[Mount, ...]:
    return (Bind(NAME, _FOLDER), Inline(path=_SECRETS, text=_secrets(env), uid=UID, gid=UID))


def _loopback(env: Env) -> dict[str, dict[str, str | int]]:
    ports = {"public": env.public_port, "admin": env.admin_port}
    return {name: {"host": "127.0.0.1", "port": port} for name, port in ports.items()}


_MIGRATE: Helper[Env] = Helper(
    id="kratos-migrate",
    image=IMAGE,
    env=Env,
    one_shot=True,
    migrates=True,
    command=_MIGRATION,
    mounts=_mounts,
    tmpfs=_NO_VOLUMES,
    limits=Limits(memory_mb=128, pids=64),
    process=Process(sources=(SOURCE,), command=lambda env: ("{program}", *_MIGRATION)),
)

_MAIL: Helper[Env] = Helper(
    id=MAIL,
    image="axllent/mailpit:v1.31.1",
    env=Env,
    user="65534:65534",
    ports=lambda env: (Port(container=MAIL_PORT, host=env.mail_port),),
    environment=lambda env: {"MP_MAX_MESSAGES": "500", "MP_DISABLE_VERSION_CHECK": "true"},
    labels=lambda env: web(MAIL, MAIL_PORT, guard=True),
    read_only=True,
    tmpfs=("/tmp",),
    limits=Limits(memory_mb=96, pids=64),
    process=Process(
        sources=(MAIL_SOURCE,),
        command=lambda env: ("{program}", "--listen", f"127.0.0.1:{env.mail_port}", "--smtp", f"127.0.0.1:{SMTP_PORT}"),
    ),
)

_ADMIN = "admin@arc.localhost"
_IDENTITIES = Identities(
    page=Call(name="list accounts", port=ADMIN_PORT, path=f"/admin/identities?per_page={PAGE}&page={{page}}")
)
_EMAIL, _PASSWORD = "arcctl-verify@arc.localhost", "a long passphrase {run}"


def _create(email: str, password: str) -> Call:
    identity = {
        "schema_id": "person",
        "traits": {"email": email},
        "credentials": {"password": {"config": {"password": password}}},
    }
    return Call(
        name="create an account",
        method="POST",
        port=ADMIN_PORT,
        path="/admin/identities",
        json=identity,
        status=(201,),
    )


def _find(email: str) -> Call:
    path = f"/admin/identities?credentials_identifier={email}"
    return Call(name="find the account", port=ADMIN_PORT, path=path, take={"old": "0.id"})


def _log_in(email: str, password: str) -> tuple[Call, Call]:
    """As a program does; takes `session`."""
    answer = {"method": "password", "identifier": email, "password": password}
    return (
        Call(name="begin a login", port=PORT, path="/self-service/login/api", take={"flow": "id"}),
        Call(
            name="log in",
            method="POST",
            port=PORT,
            path="/self-service/login?flow={flow}",
            json=answer,
            take={"session": "session_token"},
        ),
    )


def _known(env: Env) -> Calls:
    return Calls(steps=_log_in(_ADMIN, env.admin_password.get_secret_value()))


def _change(old: Env, new: Env) -> tuple[Proof, ...]:
    """The admin API replaces an account as a whole; the schema knows of nothing but the address."""
    made = _create(_ADMIN, new.admin_password.get_secret_value())
    change = replace(
        made,
        name="change its password",
        method="PUT",
        path="/admin/identities/{old}",
        json={**made.json, "state": "active"},
        status=(200,),
    )
    return (Calls(steps=(_find(_ADMIN), change)),)


_OLDER = "it is what the last change of the setting without `PREVIOUS` replaced"
_KEYS: tuple[Rotation[Env], ...] = tuple(
    Rotation(field=key, login=_known, kept_in=f"previous_{key}", tells=False)
    for key in ("cookie_secret", "cipher_secret")
)
_ROTATIONS: tuple[Rotation[Env] | Fixed, ...] = (
    postgres.role_rotation(NAME, "db_password", superuser="superuser"),
    *_KEYS,
    *(Fixed(field=key.kept_in, reason=_OLDER, hint=f"arcctl secrets rotate {NAME}") for key in _KEYS),
    Rotation(
        field="admin_password", login=_known, admit=_change, by_hand=f"change the password of {_ADMIN} by a recovery"
    ),
)


def _resources(env: Env) -> tuple[Resource, ...]:
    secret = env.admin_password.get_secret_value()
    hint = f"the account has another password: set KRATOS_ADMIN_PASSWORD in config/{NAME}/.env to it"
    look, make = _known(env), Calls(steps=(_create(_ADMIN, secret),))
    account = Resource(name=f"account {_ADMIN}", look=look, make=(make,), hint=hint)
    return (*postgres.own_database(NAME, env.db_password, env.superuser), account)


def _proofs(env: Env) -> tuple[Proof, ...]:
    """An account from its birth to its end, as a program would use it."""
    mailbox = f"/api/v1/search?query=to:{_EMAIL}"
    remove = Call(name="remove it", method="DELETE", port=ADMIN_PORT, path="/admin/identities/{old}", status=(204,))
    steps = (
        _create(_EMAIL, _PASSWORD),
        *_log_in(_EMAIL, _PASSWORD),
        Call(
            name="be known by the session",
            port=PORT,
            path="/sessions/whoami",
            headers={"X-Session-Token": "{session}"},
            expect=_EMAIL,
        ),
        Call(name="begin a recovery", port=PORT, path="/self-service/recovery/api", take={"recovery": "id"}),
        Call(
            name="ask for a code by mail",
            method="POST",
            port=PORT,
            path="/self-service/recovery?flow={recovery}",
            json={"method": "code", "email": _EMAIL},
        ),
        Call(
            name="receive the mail",
            at=MAIL,
            port=MAIL_PORT,
            path=mailbox,
            expect=_EMAIL,
            patience=8,
        ),
    )
    mails = Call(name="remove the mails", method="DELETE", at=MAIL, port=MAIL_PORT, path=mailbox)
    end = (_find(_EMAIL), remove)
    return (Calls(steps=(*steps, *end), cleanup=(mails, *end)), postgres.login(NAME, env.db_password))


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Ory Kratos",
    layer=Layer.PLATFORM,
    env=Env,
    image=IMAGE,
    needs=(postgres.SERVICE,),
    ports=lambda env: (
        Port(container=PORT, host=env.public_port, name="public"),
        Port(container=ADMIN_PORT, host=env.admin_port, name="admin"),
    ),
    command=_SERVE,
    environment=lambda env: {"GOMEMLIMIT": "200MiB"},
    mounts=_mounts,
    tmpfs=_NO_VOLUMES,
    labels=lambda env: web(NAME, PORT),
    limits=Limits(memory_mb=256),
    healthcheck=Healthcheck(
        test=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{ADMIN_PORT}/admin/health/ready")
    ),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("{program}", *_SERVE),
        patches=lambda env: {_CONFIG: {"serve": _loopback(env)}},
    ),
    monitoring=Monitoring(rate='sum(rate(http_requests_total{job="$id"}[2m]))', unit=Unit.REQUESTS),
    # Ready means that the database answers and holds every migration.
    probe=lambda env: Http(port=ADMIN_PORT, path="/admin/health/ready", body="ok"),
    helpers=(_MAIL, postgres.database(NAME, Env), _MIGRATE),
    proofs=_proofs,
    resources=_resources,
    connect=lambda env, where: {
        "KRATOS_PUBLIC_URL": f"http://{where.at(PORT)}",
        "KRATOS_ADMIN_URL": f"http://{where.at(ADMIN_PORT)}",
    },
    holds=lambda env: (_IDENTITIES,),
    rotations=_ROTATIONS,
    links=lambda env: (
        Link(name="public", url=f"http://127.0.0.1:{env.public_port}"),
        Link(name="admin", url=f"http://127.0.0.1:{env.admin_port}"),
        Link(
            name="account",
            url=f"http://127.0.0.1:{env.public_port}/self-service/login/api",
            user=_ADMIN,
            secret=env.admin_password.get_secret_value(),
        ),
        Link(name="mails", url=f"http://127.0.0.1:{env.mail_port}", page=True),
    ),
)
