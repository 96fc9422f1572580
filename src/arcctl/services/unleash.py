"""Unleash: feature flags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr

from arcctl.model.binaries import Npm
from arcctl.model.connection import Endpoint
from arcctl.model.data_store import PAGE, Flags
from arcctl.model.env import HostPort, generated, reveal
from arcctl.model.probe import Http
from arcctl.model.resource import Resource
from arcctl.model.rotation import Rotation
from arcctl.model.service import (
    Checks,
    ConfigFile,
    Container,
    Layer,
    Network,
    Port,
    Process,
    Service,
    SetUp,
    Storage,
    service_id,
)
from arcctl.model.smoke_test import Call, Calls, SmokeTest, Sql, Statement
from arcctl.model.telemetry import Alert, Scrape, Telemetry, Unit, rate
from arcctl.services import postgres
from arcctl.services.presets.web import answers, ui, web

ID = service_id(__name__)
PORT = 4242
UID = 1000
USER = "admin"
_ENV_FILE = "/run/arc/env"
_READ_ENV = f"set -a && . {_ENV_FILE}"
_PROGRAM = "{artifact}/node_modules/unleash-server/dist/server.js"


SOURCE = Npm(name="unleash", package="unleash-server", version="8.2.0", node="24.19.0", long_exports=("date-fns",))


class Env(postgres.ConsumerEnv, env_prefix="UNLEASH_"):
    host_port: HostPort = PORT
    """Port on the host's loopback address."""
    session_secret: SecretStr = generated()
    """Signs session cookies; a new one logs everybody out."""
    admin_password: SecretStr = generated(alphabet="strong")
    """Password of the user `admin`. Unleash reads it once, when its database is new."""
    admin_token: SecretStr = generated()
    """Secret part of the admin API token `*:*.<secret>`. Read once, like the password."""
    backend_token: SecretStr = generated()
    """Secret part of the backend token `default:development.<secret>`. Read once, like the password."""
    frontend_token: SecretStr = generated()
    """Secret part of the frontend token `default:development.<secret>`. Read once, like the password."""


def _admin_token(env: Env) -> str:
    return f"*:*.{reveal(env.admin_token)}"


def _env_file(env: Env) -> str:
    """Variables for a shell; Unleash takes these settings from nowhere else."""
    settings = {
        "DATABASE_URL": postgres.url(ID, env.db_password),
        "UNLEASH_SECRET": reveal(env.session_secret),
        "UNLEASH_DEFAULT_ADMIN_USERNAME": USER,
        "UNLEASH_DEFAULT_ADMIN_PASSWORD": reveal(env.admin_password),
        "INIT_ADMIN_API_TOKENS": _admin_token(env),
        "INIT_BACKEND_API_TOKENS": _sdk_token(env.backend_token),
        "INIT_FRONTEND_API_TOKENS": _sdk_token(env.frontend_token),
    }
    return "".join(f"{name}='{value}'\n" for name, value in settings.items())


def _sdk_token(secret: SecretStr) -> str:
    return f"default:development.{reveal(secret)}"


def _known(env: Env) -> Calls:
    body = {"username": USER, "password": reveal(env.admin_password)}
    return Calls((Call("log in", PORT, "/auth/simple/login", method="POST", json=body),))


def _change(old: Env, new: Env) -> tuple[SmokeTest, ...]:
    admin = {"Authorization": _admin_token(old)}
    users = "/api/admin/user-admin"
    take = {"account": f"users.username={USER}.id"}
    find = Call("find the account", PORT, users, headers=admin, take=take)
    change = Call(
        "change its password",
        PORT,
        f"{users}/{{account}}/change-password",
        method="POST",
        json={"password": reveal(new.admin_password)},
        headers=admin,
    )
    return (Calls((find, change)),)


def _resources(env: Env) -> tuple[Resource, ...]:
    hint = f"set UNLEASH_ADMIN_PASSWORD in config/{ID}/.env to the password that you chose"
    return (
        *postgres.service_database(ID, env.db_password, env.superuser),
        Resource(f"account {USER}", _known(env), hint=hint),
        _token("admin", _admin_token(env), "/api/admin/environments", env),
        _token("backend", _sdk_token(env.backend_token), "/api/client/features", env),
        _token("frontend", _sdk_token(env.frontend_token), "/api/frontend", env),
    )


def _use(kind: str, token: str, path: str) -> Call:
    return Call(f"use the {kind} token", PORT, path, headers={"Authorization": token})


def _statements(env: Env, **steps: str) -> Sql:
    """As the service's own role, which owns the tables."""
    return Sql(
        user=ID,
        password=reveal(env.db_password),
        port=postgres.PORT,
        database=ID,
        at=postgres.ID,
        steps=tuple(Statement(name.replace("_", " "), sql) for name, sql in steps.items()),
    )


def _insert(kind: str, token: str, env: Env) -> Sql:
    """A token as a row, because the API generates another secret for each token."""
    project, _, rest = token.partition(":")
    row = (
        "INSERT INTO api_tokens (secret, type, token_name, username, environment)"
        f" VALUES ('{token}', '{kind}', 'arc-{kind}', 'arc-{kind}', '{rest.partition('.')[0]}')"
        " ON CONFLICT DO NOTHING"
    )
    endpoint = f"INSERT INTO api_token_project VALUES ('{token}', '{project}') ON CONFLICT DO NOTHING"
    return _statements(env, keep_the_token=row, **({} if project == "*" else {"give_it_its_project": endpoint}))


def _token(kind: str, token: str, path: str, env: Env) -> Resource:
    """Restores a lost token; the server reads its tokens each minute."""
    use = _use(kind, token, path)
    return Resource(
        f"{kind} token",
        Calls((use,)),
        create=(_insert(kind, token, env), Calls((replace(use, patience=90),))),
        hint=f"arcctl restart {ID}, then arcctl bootstrap {ID}",
    )


def _token_rotation(kind: str, path: str, full: Callable[[Env], str]) -> Rotation[Env]:
    """Both are rows until the old one is deleted; the recreated server does not know it."""
    return Rotation(
        f"{kind}_token",
        lambda env: Calls((_use(kind, full(env), path),)),
        add_credential=lambda old, new: (_insert(kind, full(new), old),),
        accepts_both=True,
        revoke_credential=lambda old, new: (
            _statements(new, forget_the_token=f"DELETE FROM api_tokens WHERE secret = '{full(old)}'"),
        ),
        warning=f"programs with the old {kind} token are refused",
    )


_BY_HAND = f"change the password of {USER} on its page"
_ROTATIONS: tuple[Rotation[Env], ...] = (
    postgres.role_rotation(ID, "db_password", superuser="superuser"),
    Rotation("session_secret", _known, is_login=False, warning="everybody is logged out of its pages"),
    Rotation("admin_password", _known, add_credential=_change, by_hand=_BY_HAND),
    _token_rotation("admin", "/api/admin/environments", _admin_token),
    _token_rotation("backend", "/api/client/features", lambda env: _sdk_token(env.backend_token)),
    _token_rotation("frontend", "/api/frontend", lambda env: _sdk_token(env.frontend_token)),
)


_FLAG = "arcctl-verify"
_FLAGS = "/api/admin/projects/default/features"


def _smoke_tests(env: Env) -> tuple[SmokeTest, ...]:
    """A flag, made by the admin and read as a program's SDK reads it."""
    admin = {"Authorization": _admin_token(env)}
    sdk = {"Authorization": _sdk_token(env.backend_token)}
    share = {"name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": "default", "groupId": _FLAG}}
    flag = f"{_FLAGS}/{_FLAG}"
    place = f"{flag}/environments/development"
    steps = (
        Call(
            "create a flag",
            PORT,
            _FLAGS,
            method="POST",
            json={"name": _FLAG, "type": "operational", "description": "{run}"},
            headers=admin,
            status=(201,),
        ),
        Call("give it to half of the users", PORT, f"{place}/strategies", method="POST", json=share, headers=admin),
        Call("turn it on", PORT, f"{place}/on", method="POST", headers=admin),
        Call(
            "read it as an SDK does",
            PORT,
            "/api/client/features",
            headers=sdk,
            expect=f'"name":"{_FLAG}","type":"operational","enabled":true',
            patience=10,
        ),
    )
    # Unleash writes each stage of a flag's life a second later, and ends with an error where the flag is gone by then.
    archived = '"stage":"archived"'
    end = (
        Call("archive it", PORT, flag, method="DELETE", headers=admin, status=(202,)),
        Call("see it archived", PORT, f"{flag}/lifecycle", headers=admin, expect=archived, patience=5),
        Call("remove it", PORT, f"/api/admin/archive/{_FLAG}", method="DELETE", headers=admin),
    )
    return (Calls((*steps, *end), cleanup=end), postgres.login(ID, env.db_password))


def _flags(env: Env) -> Flags:
    admin = {"Authorization": _admin_token(env)}
    place = "/api/admin/projects/{project}/features/{flag}/environments/{environment}"
    page = f"/api/admin/search/features?limit={PAGE}&offset={{offset}}"
    return Flags(
        page=Call("list flags", PORT, page, headers=admin),
        on=Call("turn the flag on", PORT, f"{place}/on", method="POST", headers=admin),
        off=Call("turn the flag off", PORT, f"{place}/off", method="POST", headers=admin),
    )


SERVICE: Service[Env] = Service(
    id=ID,
    title="Unleash",
    layer=Layer.PLATFORM,
    env=Env,
    needs=(postgres.SERVICE,),
    components=(postgres.database(ID, Env),),
    container=Container(
        image="unleashorg/unleash-server:8.2.0",
        # Secrets come from a file that the shell reads, so that they do not show in `docker inspect`.
        command=("sh", "-c", f"{_READ_ENV} && exec node dist/server.js"),
        init=True,
        environment=lambda env: {
            "DATABASE_SSL": "false",
            "DATABASE_POOL_MAX": "10",
            "CHECK_VERSION": "false",
            # What its links begin with.
            "UNLEASH_URL": f"http://localhost:{env.host_port}",
            "SEND_TELEMETRY": "false",
            # Flags are listed by searching for them; 15 times a minute is for people.
            "SEARCH_FEATURES_RATE_LIMIT_PER_MINUTE": "6000",
            # At `info` the admin password would be written to the log.
            "LOG_LEVEL": "warn",
            "NODE_OPTIONS": "--max-old-space-size=256",
        },
        memory_mb=448,
    ),
    network=Network(
        ports=lambda env: (Port(PORT, env.host_port),),
        labels=lambda env: web(ID, PORT, env.project),
        endpoints=lambda env: (
            ui(env.host_port, USER, reveal(env.admin_password)),
            Endpoint("backend", f"http://127.0.0.1:{env.host_port}/api", secret=_sdk_token(env.backend_token)),
            Endpoint(
                "frontend", f"http://127.0.0.1:{env.host_port}/api/frontend", secret=_sdk_token(env.frontend_token)
            ),
        ),
        connect=lambda env, where: {
            "UNLEASH_URL": f"http://{where.at(PORT)}/api",
            "UNLEASH_API_TOKEN": _sdk_token(env.backend_token),
            "UNLEASH_FRONTEND_API_URL": f"http://{where.at(PORT)}/api/frontend",
            "UNLEASH_FRONTEND_API_TOKEN": _sdk_token(env.frontend_token),
        },
    ),
    storage=Storage(
        mounts=lambda env: (ConfigFile(_ENV_FILE, _env_file(env), uid=UID, gid=UID),),
        data_stores=lambda env: (_flags(env),),
    ),
    checks=Checks(
        healthcheck=answers(f"http://127.0.0.1:{PORT}/health"),
        # The health pages answer without a database; this one needs it and tests the token.
        probe=lambda env: Http(
            PORT, "/api/admin/environments", body="development", headers={"Authorization": _admin_token(env)}
        ),
        smoke_tests=_smoke_tests,
    ),
    setup=SetUp(resources=_resources),
    rotations=_ROTATIONS,
    telemetry=Telemetry(
        scrape=Scrape(PORT, "/internal-backstage/prometheus"),
        rate=rate('http_request_duration_milliseconds_count{job="$id"}'),
        unit=Unit.REQUESTS,
        alerts=(
            Alert(
                name="UnleashPoolFull",
                query="max(db_pool_pending_acquires) > 0",
                minutes=2,
                summary="requests to Unleash wait for a connection of its pool to the database",
                hint=f"arcctl health {postgres.ID} {ID}",
            ),
        ),
    ),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("/bin/sh", "-c", f"{_READ_ENV} && exec {{program}} {_PROGRAM}"),
        environment=lambda env: {"NODE_ENV": "production", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(env.host_port)},
    ),
)
