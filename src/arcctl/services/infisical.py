"""Infisical: the vault for secrets of people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from pydantic import SecretStr

from arcctl.core.bootstrap import Resource
from arcctl.core.connect import Where
from arcctl.core.env import HostPort, generated, shared, told
from arcctl.core.model import Healthcheck, Inline, Layer, Limits, Link, Port, Service
from arcctl.core.monitoring import Monitoring
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Proof
from arcctl.core.secret import Fixed, Rotation
from arcctl.services import postgres, redis
from arcctl.services._presets import web

NAME = __name__.rpartition(".")[2]
PORT = 8080
UID = 1001
_ENV_FILE = "/run/arc/env"
_METRICS = "OTEL_TELEMETRY_COLLECTION_ENABLED=true\nOTEL_EXPORT_TYPE=prometheus\n"  # served on port 9464


class Env(postgres.ConsumerEnv, env_prefix="INFISICAL_"):
    host_port: HostPort = 3001
    """Port on the host's loopback address."""
    encryption_key: SecretStr = generated(32, alphabet="hex")
    """Encrypts every secret in the database; exactly 32 characters. Lose it and the vault is lost."""
    auth_secret: SecretStr = generated()
    """Signs tokens; a new one logs everybody out."""
    admin_password: SecretStr = generated()
    """Password of the first account, `admin@arc.localhost`. Read once, when the vault is set up."""
    setup_token: SecretStr = told()
    """Token of the instance's own identity; it made the project and ends after 90 days."""
    organization_id: SecretStr = told()
    """The organisation `arc`."""
    project_id: SecretStr = told()
    """The project `arc`, for the secrets of your own programs."""
    identity_id: SecretStr = told()
    """The machine identity `arc`."""
    client_id: SecretStr = told()
    """Name of the machine identity `arc`, by which programs log in."""
    client_secret: SecretStr = told()
    """Its secret."""
    redis_password: SecretStr = shared("REDIS_PASSWORD")
    """Password of Redis, which holds the job queues."""


def _env_file(env: Env) -> str:
    """Variables for a shell; Infisical takes settings from nowhere else."""
    settings = {
        "ENCRYPTION_KEY": env.encryption_key.get_secret_value(),
        "AUTH_SECRET": env.auth_secret.get_secret_value(),
        "DB_CONNECTION_URI": postgres.url(NAME, env.db_password),
        "REDIS_URL": f"redis://:{env.redis_password.get_secret_value()}@{redis.HOST}:{redis.PORT}",
    }
    return "".join(f"{name}='{value}'\n" for name, value in settings.items()) + _METRICS


_ADMIN = "admin@arc.localhost"
_AUTH = "/api/v1/auth/universal-auth"


def _post(name: str, path: str, body: Mapping[str, str], headers: Mapping[str, str], take: Mapping[str, str]) -> Call:
    return Call(name=name, method="POST", port=PORT, path=path, json=body, headers=headers, take=take)


def _log_in(client_id: str, client_secret: str) -> Call:
    """As a program does; takes `token`."""
    body = {"clientId": client_id, "clientSecret": client_secret}
    return _post("log in as a machine", f"{_AUTH}/login", body, {}, {"token": "accessToken"})


def _log_in_of(env: Env) -> Call:
    return _log_in(env.client_id.get_secret_value(), env.client_secret.get_secret_value())


def _resources(env: Env) -> tuple[Resource, ...]:
    """Each step needs what the one before was told."""
    lost = "somebody else set this vault up, or its tokens were lost: use it by hand, or start anew: arcctl clean"
    return (
        *postgres.own_database(NAME, env.db_password, env.superuser),
        Resource(name="organisation arc", look=_CLOSED, make=(Calls(steps=(_set_up(env),)),), hint=lost),
        Resource(name="project arc", look=_FIND_PROJECT, make=(Calls(steps=_MAKE_PROJECT),), hint=lost),
        Resource(
            name="machine identity arc",
            look=Calls(steps=(_log_in("{client_id}", "{client_secret}"),)),
            make=(Calls(steps=_MAKE_IDENTITY),),
            hint=lost,
        ),
    )


# The field's name says the opposite of what it holds: whether strangers may still sign up.
_CLOSED = Calls(
    steps=(Call(name="find an organisation", port=PORT, path="/api/status", expect='"inviteOnlySignup":false'),)
)


def _set_up(env: Env) -> Call:
    body = {"email": _ADMIN, "password": env.admin_password.get_secret_value(), "organization": "arc"}
    take = {"setup_token": "identity.credentials.token", "organization_id": "organization.id"}
    return _post("set the vault up", "/api/v1/admin/bootstrap", body, {}, take)


_SECRETS = f"{_AUTH}/identities/{{identity_id}}/client-secrets"
_BEARER = {"Authorization": "Bearer {setup_token}"}
_FIND_PROJECT = Calls(
    steps=(
        Call(
            name="find the project",
            port=PORT,
            path="/api/v1/projects",
            headers=_BEARER,
            take={"project_id": "projects.slug=arc.id"},
        ),
    )
)
_MAKE_PROJECT = (
    _post(
        "make the project",
        "/api/v1/projects",
        {"projectName": "arc", "slug": "arc", "type": "secret-manager"},
        _BEARER,
        {"project_id": "project.id"},
    ),
)
_MAKE_IDENTITY = (
    _post(
        "make an identity",
        "/api/v1/identities",
        {"name": "arc", "organizationId": "{organization_id}", "role": "no-access"},
        _BEARER,
        {"identity_id": "identity.id"},
    ),
    _post(
        "let it log in",
        f"{_AUTH}/identities/{{identity_id}}",
        {},
        _BEARER,
        {"client_id": "identityUniversalAuth.clientId"},
    ),
    _post(
        "let it into the project",
        "/api/v1/projects/{project_id}/memberships/identities/{identity_id}",
        {"role": "member"},
        _BEARER,
        {},
    ),
    _post(
        "draw its secret",
        _SECRETS,
        {"description": "arcctl"},
        _BEARER,
        {"client_secret": "clientSecret"},
    ),
)


def _connect(env: Env, where: Where) -> dict[str, str]:
    """As its command line and its SDKs call them."""
    return {
        "INFISICAL_API_URL": f"http://{where.at(PORT)}/api",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": env.client_id.get_secret_value(),
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": env.client_secret.get_secret_value(),
        "INFISICAL_WORKSPACE_ID": env.project_id.get_secret_value(),
    }


def _revoke(old: Env, new: Env) -> tuple[Proof, ...]:
    """The server keeps digests, and the first four characters to tell secrets apart."""
    place = f"clientSecretData.clientSecretPrefix={old.client_secret.get_secret_value()[:4]}.id"
    find = Call(name="find the old secret", port=PORT, path=_SECRETS, headers=_BEARER, take={"stale": place})
    return (Calls(steps=(find, _post("revoke it", f"{_SECRETS}/{{stale}}/revoke", {}, _BEARER, {}))),)


_WORKS = Calls(
    steps=(Call(name="see its database and Redis", port=PORT, path="/api/status", expect='"redisConfigured":true'),)
)
_PAGE = f"on its page, under the name {_ADMIN}"
_A_NAME = "it is a name and opens nothing by itself"
_NAMES = ("organization_id", "project_id", "identity_id", "client_id")
_ROTATIONS: tuple[Rotation[Env] | Fixed, ...] = (
    postgres.role_rotation(NAME, "db_password", superuser="superuser"),
    # Before the key that ends the token which this takes.
    Rotation(
        field="client_secret",
        login=lambda env: Calls(steps=(_log_in_of(env),)),
        admit=lambda old, new: (Calls(steps=_MAKE_IDENTITY[-1:]),),
        issues=True,
        both=True,
        retire=_revoke,
        warning="programs with the old one are refused",
    ),
    Rotation(
        field="auth_secret",
        login=lambda env: _WORKS,
        tells=False,
        warning="everybody and every program is logged out, and the token that set the vault up ends",
    ),
    Fixed(
        field="encryption_key",
        reason="every secret in the vault is encrypted with it: with another one the vault is lost",
        hint="arcctl secrets export keeps a copy of it",
    ),
    Fixed(field="admin_password", reason="the server takes one from nobody but its owner", hint=f"change it {_PAGE}"),
    *(Fixed(field=name, reason=_A_NAME, hint="nothing to do") for name in _NAMES),
    Fixed(field="setup_token", reason="its server told it once and ends it after 90 days", hint=f"revoke it {_PAGE}"),
)

_PROBED = "ARCCTL_VERIFY"


def _proofs(env: Env) -> tuple[Proof, ...]:
    """A secret from its writing to its end, by the machine identity, as a program would."""
    place = {"projectId": env.project_id.get_secret_value(), "environment": "dev", "secretPath": "/"}
    where = f"/api/v4/secrets/{_PROBED}"
    machine = {"Authorization": "Bearer {token}"}
    log_in = _log_in_of(env)
    remove = Call(
        name="delete it", method="DELETE", port=PORT, path=where, json=place, headers=machine, status=(200, 404)
    )
    steps = (
        Call(name="see its database and Redis", port=PORT, path="/api/status", expect='"redisConfigured":true'),
        log_in,
        _post("write a secret", where, {**place, "secretValue": "{run}"}, machine, {}),
        Call(
            name="read it back",
            port=PORT,
            path=f"{where}?{urlencode(place)}",
            headers=machine,
            expect='"secretValue":"{run}"',
        ),
        replace(remove, status=(200,)),
    )
    return (Calls(steps=steps, cleanup=(log_in, remove)), postgres.login(NAME, env.db_password))


# Of its metrics only those are asked for that every version has.
_MONITORING = Monitoring(memory="")


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Infisical",
    layer=Layer.PLATFORM,
    env=Env,
    image="infisical/infisical:v0.165.16",
    needs=(postgres.SERVICE, redis.SERVICE),
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    # Secrets come from a file that the shell reads, so that they do not show in `docker inspect`.
    command=("sh", "-c", f"set -a && . {_ENV_FILE} && exec ./standalone-entrypoint.sh"),
    environment=lambda env: {
        "NODE_ENV": "production",
        "SITE_URL": f"http://{NAME}.localhost",
        "TELEMETRY_ENABLED": "false",
        "DISABLE_UPDATE_CHECK": "true",
        "ANNOUNCEMENTS_ENABLED": "false",
        # The image's own limit of 2 GB would let it take half of the machine.
        "NODE_OPTIONS": "--max-old-space-size=640",
    },
    mounts=lambda env: (Inline(path=_ENV_FILE, text=_env_file(env), uid=UID, gid=UID),),
    labels=lambda env: web(NAME, PORT),
    stop_grace=30,
    limits=Limits(memory_mb=1024),
    # Each answer writes two lines to the log, hence the long interval.
    healthcheck=Healthcheck(
        test=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/api/status"),
        interval=30,
        start_period=180,
    ),
    monitoring=_MONITORING,
    probe=lambda env: Http(port=PORT, path="/api/status", body='"message":"Ok"'),
    helpers=(postgres.database(NAME, Env),),
    proofs=_proofs,
    resources=_resources,
    connect=_connect,
    rotations=_ROTATIONS,
    links=lambda env: (
        Link(
            name="ui",
            url=f"http://127.0.0.1:{env.host_port}",
            user=_ADMIN,
            secret=env.admin_password.get_secret_value(),
            page=True,
        ),
    ),
)
