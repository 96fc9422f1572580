"""Infisical: the vault for secrets of people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from pydantic import SecretStr

from arcctl.model.connection import Where
from arcctl.model.env import HostPort, generated, reveal, server_issued, shared
from arcctl.model.probe import Http
from arcctl.model.resource import Resource
from arcctl.model.rotation import Fixed, Rotation
from arcctl.model.service import (
    Checks,
    ConfigFile,
    Container,
    Layer,
    Network,
    Port,
    Service,
    SetUp,
    Storage,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, SmokeTest
from arcctl.model.telemetry import Scrape, Telemetry
from arcctl.services import postgres, redis, traefik
from arcctl.services.presets.web import answers, ui, web

ID = service_id(__name__)
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
    setup_token: SecretStr = server_issued()
    """Token of the instance's own identity; it made the project and ends after 90 days."""
    organization_id: SecretStr = server_issued()
    """The organisation `arc`."""
    project_id: SecretStr = server_issued()
    """The project `arc`, for the secrets of your own programs."""
    identity_id: SecretStr = server_issued()
    """The machine identity `arc`."""
    client_id: SecretStr = server_issued()
    """Name of the machine identity `arc`, by which programs log in."""
    client_secret: SecretStr = server_issued()
    """Its secret."""
    operator_identity_id: SecretStr = server_issued()
    """The machine identity `arcctl`, which may change others."""
    operator_client_id: SecretStr = server_issued()
    """Name of the machine identity `arcctl`, by which arcctl logs in to change `client_secret`."""
    operator_client_secret: SecretStr = server_issued()
    """Its secret."""
    gateway_port: HostPort = shared("TRAEFIK_HTTP_PORT", traefik.HTTP_PORT)
    """Port of the gateway, which is in the addresses of its pages."""
    redis_password: SecretStr = shared("REDIS_PASSWORD")
    """Password of Redis, which holds the job queues."""


def _env_file(env: Env) -> str:
    """Variables for a shell; Infisical takes settings from nowhere else."""
    settings = {
        "ENCRYPTION_KEY": reveal(env.encryption_key),
        "AUTH_SECRET": reveal(env.auth_secret),
        "DB_CONNECTION_URI": postgres.url(ID, env.db_password),
        "REDIS_URL": f"redis://:{reveal(env.redis_password)}@{redis.ID}:{redis.PORT}",
    }
    return "".join(f"{name}='{value}'\n" for name, value in settings.items()) + _METRICS


_ADMIN = "admin@arc.localhost"
_AUTH = "/api/v1/auth/universal-auth"


def _post(name: str, path: str, body: Mapping[str, str], headers: Mapping[str, str], take: Mapping[str, str]) -> Call:
    return Call(name, PORT, path, method="POST", json=body, headers=headers, take=take)


def _log_in(client_id: str, client_secret: str, token: str = "token") -> Call:
    """As a program does; takes `token`."""
    body = {"clientId": client_id, "clientSecret": client_secret}
    return _post("log in as a machine", f"{_AUTH}/login", body, {}, {token: "accessToken"})


def _log_in_of(env: Env) -> Call:
    return _log_in(reveal(env.client_id), reveal(env.client_secret))


def _resources(env: Env) -> tuple[Resource, ...]:
    """Each step uses what the server answered to the one before.

    What exists is seen without the token of the set-up, which ends: by itself, and with another `auth_secret`.
    """
    lost = "the vault was set up by hand, or its tokens are lost: use its page, or delete all data: arcctl clean"
    return (
        *postgres.service_database(ID, env.db_password, env.superuser),
        Resource("organisation arc", _SET_UP, create=(Calls((_set_up(env),)),), hint=lost, absent="in the answer"),
        Resource(
            "machine identity arc",
            Calls((_LOG_IN,)),
            create=(Calls(_identity("arc", "no-access")),),
            hint=lost,
            absent=_NO_SUCH_LOGIN,
        ),
        Resource(
            "project arc",
            Calls((_LOG_IN, _find_project({"Authorization": "Bearer {token}"}))),
            create=(Calls(_MAKE_PROJECT),),
            hint=lost,
            absent="the answer has no",
        ),
        Resource(
            "machine identity arcctl",
            Calls((_LOG_IN_AS_OPERATOR,)),
            create=(Calls(_identity("arcctl", "admin", "operator_")),),
            hint=f"the set-up token has ended: make an identity with the role Admin {_PAGE}, and write its"
            " INFISICAL_OPERATOR_IDENTITY_ID, _CLIENT_ID and _CLIENT_SECRET to config/infisical/.env",
            absent=_NO_SUCH_LOGIN,
        ),
    )


# A login is locked for 5 minutes after three wrong ones within 30 seconds, and then says something else.
_NO_SUCH_LOGIN = "Invalid credentials"
_SET_UP = Calls((Call("find an organisation", PORT, "/api/v1/admin/config", expect='"initialized":true'),))


def _set_up(env: Env) -> Call:
    body = {"email": _ADMIN, "password": reveal(env.admin_password), "organization": "arc"}
    take = {"setup_token": "identity.credentials.token", "organization_id": "organization.id"}
    return _post("set the vault up", "/api/v1/admin/bootstrap", body, {}, take)


_LOG_IN = _log_in("{client_id}", "{client_secret}")
_LOG_IN_AS_OPERATOR = _log_in("{operator_client_id}", "{operator_client_secret}", "operator_token")
_BEARER = {"Authorization": "Bearer {setup_token}"}
_OPERATOR = {"Authorization": "Bearer {operator_token}"}
_PAGE = f"on its page, under the name {_ADMIN}"
_SLUG = "arc-project"
"""The server refuses one of less than five characters."""


def _find_project(headers: Mapping[str, str]) -> Call:
    take = {"project_id": f"projects.slug={_SLUG}.id"}
    return Call("find the project", PORT, "/api/v1/projects", headers=headers, take=take)


def _secrets(whose: str) -> str:
    return f"{_AUTH}/identities/{{{whose}identity_id}}/client-secrets"


def _draw_secret(whose: str, headers: Mapping[str, str]) -> Call:
    return _post(
        "draw its secret",
        _secrets(whose),
        {"description": "arcctl"},
        headers,
        {f"{whose}client_secret": "clientSecret"},
    )


def _identity(name: str, role: str, whose: str = "") -> tuple[Call, ...]:
    """Make a machine identity with this role in the organisation; `whose` begins the settings that keep it."""
    return (
        _post(
            "make an identity",
            "/api/v1/identities",
            {"name": name, "organizationId": "{organization_id}", "role": role},
            _BEARER,
            {f"{whose}identity_id": "identity.id"},
        ),
        _post(
            "let it log in",
            f"{_AUTH}/identities/{{{whose}identity_id}}",
            {},
            _BEARER,
            {f"{whose}client_id": "identityUniversalAuth.clientId"},
        ),
        _draw_secret(whose, _BEARER),
    )


_EVEN_TWICE = (200, 400)
"""The server refuses to make what it has."""
_MAKE_PROJECT = (
    replace(
        _post(
            "make the project",
            "/api/v1/projects",
            {"projectName": "arc", "slug": _SLUG, "type": "secret-manager"},
            _BEARER,
            {},
        ),
        status=_EVEN_TWICE,
    ),
    _find_project(_BEARER),
    replace(
        _post(
            "let the identity into the project",
            "/api/v1/projects/{project_id}/memberships/identities/{identity_id}",
            {"role": "member"},
            _BEARER,
            {},
        ),
        status=_EVEN_TWICE,
    ),
    _LOG_IN,
    _find_project({"Authorization": "Bearer {token}"}),
)


def _connect(env: Env, where: Where) -> dict[str, str]:
    """As its command line and its SDKs call them."""
    return {
        "INFISICAL_API_URL": f"http://{where.at(PORT)}/api",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": reveal(env.client_id),
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": reveal(env.client_secret),
        "INFISICAL_WORKSPACE_ID": reveal(env.project_id),
    }


def _client_secret(whose: str, warning: str) -> Rotation[Env]:
    """The operator draws a new one. The server keeps digests, and the first four characters to tell secrets apart."""
    name = f"{whose}client_secret"

    def log_in(env: Env) -> Calls:
        return Calls((_log_in(reveal(getattr(env, f"{whose}client_id")), reveal(getattr(env, name))),))

    def revoke(old: Env, new: Env) -> tuple[SmokeTest, ...]:
        place = f"clientSecretData.clientSecretPrefix={reveal(getattr(old, name))[:4]}.id"
        find = Call("find the old secret", PORT, _secrets(whose), headers=_OPERATOR, take={"stale": place})
        path = f"{_secrets(whose)}/{{stale}}/revoke"
        return (Calls((_LOG_IN_AS_OPERATOR, find, _post("revoke it", path, {}, _OPERATOR, {}))),)

    return Rotation(
        name,
        log_in,
        add_credential=lambda old, new: (Calls((_LOG_IN_AS_OPERATOR, _draw_secret(whose, _OPERATOR))),),
        server_generated=True,
        accepts_both=True,
        revoke_credential=revoke,
        warning=warning,
    )


_WORKS = Calls((Call("see its database and Redis", PORT, "/api/status", expect='"redisConfigured":true'),))
_A_NAME = "it is a name and opens nothing by itself"
_NAMES = (
    "organization_id",
    "project_id",
    "identity_id",
    "client_id",
    "operator_identity_id",
    "operator_client_id",
)
_ROTATIONS: tuple[Rotation[Env] | Fixed, ...] = (
    postgres.role_rotation(ID, "db_password", superuser="superuser"),
    _client_secret("", "programs with the old one are refused"),
    _client_secret("operator_", "only arcctl uses it"),
    Rotation("auth_secret", lambda env: _WORKS, is_login=False, warning="everybody and every program is logged out"),
    Fixed(
        "encryption_key",
        "every secret in the vault is encrypted with it: with another one the vault is lost",
        "to keep a copy of it: arcctl secrets export",
    ),
    Fixed("admin_password", "the server lets only its owner change it", f"change it {_PAGE}"),
    *(Fixed(name, _A_NAME, "nothing to do") for name in _NAMES),
    Fixed("setup_token", "the server issues it once and ends it after 90 days", f"revoke it {_PAGE}"),
)

_PROBED = "ARCCTL_VERIFY"


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """The life of a secret, written by the machine identity, as a program does."""
    place = {"projectId": reveal(env.project_id), "environment": "dev", "secretPath": "/"}
    where = f"/api/v4/secrets/{_PROBED}"
    machine = {"Authorization": "Bearer {token}"}
    log_in = _log_in_of(env)
    remove = Call("delete it", PORT, where, method="DELETE", json=place, headers=machine, status=(200, 404))
    steps = (
        Call("see its database and Redis", PORT, "/api/status", expect='"redisConfigured":true'),
        log_in,
        _post("write a secret", where, {**place, "secretValue": "{run}"}, machine, {}),
        Call("read it back", PORT, f"{where}?{urlencode(place)}", headers=machine, expect='"secretValue":"{run}"'),
        replace(remove, status=(200,)),
    )
    return (Calls(steps, cleanup=(log_in, remove)), postgres.login(ID, env.db_password))


# Of its metrics only those are asked for that every version has.
_TELEMETRY = Telemetry(scrape=Scrape(9464), memory="")


SERVICE: Service[Env] = Service(
    id=ID,
    title="Infisical",
    layer=Layer.PLATFORM,
    env=Env,
    needs=(postgres.SERVICE, redis.SERVICE),
    components=(postgres.database(ID, Env),),
    container=Container(
        image="infisical/infisical:v0.165.16",
        # Secrets come from a file that the shell reads, so that they do not show in `docker inspect`.
        command=("sh", "-c", f"set -a && . {_ENV_FILE} && exec ./standalone-entrypoint.sh"),
        init=True,
        environment=lambda env: {
            "NODE_ENV": "production",
            "SITE_URL": f"http://{ID}.localhost:{env.gateway_port}",
            "TELEMETRY_ENABLED": "false",
            "DISABLE_UPDATE_CHECK": "true",
            "ANNOUNCEMENTS_ENABLED": "false",
            # The image's own limit of 2 GB is all that the container may take.
            "NODE_OPTIONS": "--max-old-space-size=1024",
        },
        stop_grace=30,
        memory_mb=2048,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        labels=lambda env: web(ID, PORT, env.project),
        endpoints=lambda env: (ui(env.host_port, _ADMIN, reveal(env.admin_password)),),
        connect=_connect,
        overrides=("INFISICAL_TOKEN", "INFISICAL_DOMAIN"),
    ),
    storage=Storage(mounts=lambda env: (ConfigFile(_ENV_FILE, _env_file(env), uid=UID, gid=UID),)),
    checks=Checks(
        healthcheck=answers(f"http://127.0.0.1:{PORT}/api/status", start_period=180),
        probe=lambda env: Http(PORT, "/api/status", body='"message":"Ok"'),
        smoke_tests=_smoke_tests,
    ),
    setup=SetUp(resources=_resources),
    rotations=_ROTATIONS,
    telemetry=_TELEMETRY,
)
