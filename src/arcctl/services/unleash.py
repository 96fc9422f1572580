"""Unleash: feature flags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr

from arcctl.core.bootstrap import Resource
from arcctl.core.contents import PAGE, Flags
from arcctl.core.env import HostPort, generated
from arcctl.core.model import Healthcheck, Inline, Layer, Limits, Link, Port, Process, Service
from arcctl.core.monitoring import Monitoring, Unit
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Proof, Sql, Statement
from arcctl.core.secret import Rotation
from arcctl.core.sources import Npm
from arcctl.services import postgres
from arcctl.services._presets import web

NAME = __name__.rpartition(".")[2]
PORT = 4242
UID = 1000
USER = "admin"
_ENV_FILE = "/run/arc/env"
_READ_ENV = f"set -a && . {_ENV_FILE}"
_PROGRAM = "{artifact}/node_modules/unleash-server/dist/server.js"


SOURCE = Npm(name="unleash", package="unleash-server", version="8.2.0", node="24.19.0")


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
    return f"*:*.{env.admin_token.get_secret_value()}"


def _env_file(env: Env) -> str:
    """Variables for a shell; Unleash takes these settings from nowhere else."""
    settings = {
        "DATABASE_URL": postgres.url(NAME, env.db_password),
        "UNLEASH_SECRET": env.session_secret.get_secret_value(),
        "UNLEASH_DEFAULT_ADMIN_USERNAME": USER,
        "UNLEASH_DEFAULT_ADMIN_PASSWORD": env.admin_password.get_secret_value(),
        "INIT_ADMIN_API_TOKENS": _admin_token(env),
        "INIT_BACKEND_API_TOKENS": _sdk_token(env.backend_token),
        "INIT_FRONTEND_API_TOKENS": _sdk_token(env.frontend_token),
    }
    return "".join(f"{name}='{value}'\n" for name, value in settings.items())


def _sdk_token(secret: SecretStr) -> str:
    return f"default:development.{secret.get_secret_value()}"


def _known(env: Env) -> Calls:
    body = {"username": USER, "password": env.admin_password.get_secret_value()}
    return Calls(steps=(Call(name="log in", method="POST", port=PORT, path="/auth/simple/login", json=body),))


def _change(old: Env, new: Env) -> tuple[Proof, ...]:
    admin = {"Authorization": _admin_token(old)}
    users = "/api/admin/user-admin"
    take = {"account": f"users.username={USER}.id"}
    find = Call(name="find the account", port=PORT, path=users, headers=admin, take=take)
    change = Call(
        name="change its password",
        method="POST",
        port=PORT,
        path=f"{users}/{{account}}/change-password",
        json={"password": new.admin_password.get_secret_value()},
        headers=admin,
    )
    return (Calls(steps=(find, change)),)


def _resources(env: Env) -> tuple[Resource, ...]:
    hint = f"set UNLEASH_ADMIN_PASSWORD in config/{NAME}/.env to the password that you chose"
    return (
        *postgres.own_database(NAME, env.db_password, env.superuser),
        Resource(name=f"account {USER}", look=_known(env), hint=hint),
        _token("admin", _admin_token(env), "/api/admin/environments", env),
        _token("backend", _sdk_token(env.backend_token), "/api/client/features", env),
        _token("frontend", _sdk_token(env.frontend_token), "/api/frontend", env),
    )


def _use(kind: str, token: str, path: str) -> Call:
    return Call(name=f"use the {kind} token", port=PORT, path=path, headers={"Authorization": token})


def _statements(env: Env, **steps: str) -> Sql:
    """As the service's own role, which owns the tables."""
    return Sql(
        user=NAME,
        password=env.db_password.get_secret_value(),
        port=postgres.PORT,
        database=NAME,
        at=postgres.HOST,
        steps=tuple(Statement(name=name.replace("_", " "), sql=sql) for name, sql in steps.items()),
    )


def _insert(kind: str, token: str, env: Env) -> Sql:
    """A token as a row: the API draws a new secret for each token, and programs have this one."""
    project, _, rest = token.partition(":")
    row = (
        "INSERT INTO api_tokens (secret, type, token_name, username, environment)"
        f" VALUES ('{token}', '{kind}', 'arc-{kind}', 'arc-{kind}', '{rest.partition('.')[0]}')"
        " ON CONFLICT DO NOTHING"
    )
    link = f"INSERT INTO api_token_project VALUES ('{token}', '{project}') ON CONFLICT DO NOTHING"
    return _statements(env, keep_the_token=row, **({} if project == "*" else {"give_it_its_project": link}))


def _token(kind: str, token: str, path: str, env: Env) -> Resource:
    """A lost one comes back; the server reads its tokens again each minute."""
    use = _use(kind, token, path)
    return Resource(
        name=f"{kind} token",
        look=Calls(steps=(use,)),
        make=(_insert(kind, token, env), Calls(steps=(replace(use, patience=90),))),
        hint=f"arcctl restart {NAME}, then arcctl bootstrap {NAME}",
    )


def _token_rotation(kind: str, path: str, full: Callable[[Env], str]) -> Rotation[Env]:
    """Both are rows until the old one is deleted; the server that is made anew has never heard of it."""
    return Rotation(
        field=f"{kind}_token",
        login=lambda env: Calls(steps=(_use(kind, full(env), path),)),
        admit=lambda old, new: (_insert(kind, full(new), old),),
        both=True,
        retire=lambda old, new: (
            _statements(new, forget_the_token=f"DELETE FROM api_tokens WHERE secret = '{full(old)}'"),
        ),
        warning=f"programs with the old {kind} token are refused",
    )


_BY_HAND = f"change the password of {USER} on its page"
_ROTATIONS: tuple[Rotation[Env], ...] = (
    postgres.role_rotation(NAME, "db_password", superuser="superuser"),
    Rotation(field="session_secret", login=_known, tells=False, warning="everybody is logged out of its pages"),
    Rotation(field="admin_password", login=_known, admit=_change, by_hand=_BY_HAND),
    _token_rotation("admin", "/api/admin/environments", _admin_token),
    _token_rotation("backend", "/api/client/features", lambda env: _sdk_token(env.backend_token)),
    _token_rotation("frontend", "/api/frontend", lambda env: _sdk_token(env.frontend_token)),
)


_FLAG = "arcctl-verify"
_FLAGS = "/api/admin/projects/default/features"


def _proofs(env: Env) -> tuple[Proof, ...]:
    """A flag, made by the admin and read as a program's SDK reads it."""
    admin = {"Authorization": _admin_token(env)}
    sdk = {"Authorization": _sdk_token(env.backend_token)}
    share = {
        "name": "flexibleRollout",
        "parameters": {"rollout": "50", "stickiness": "default", "groupId": _FLAG},
    }
    flag = f"{_FLAGS}/{_FLAG}"
    place = f"{flag}/environments/development"
    steps = (
        Call(
            name="create a flag",
            method="POST",
            port=PORT,
            path=_FLAGS,
            json={"name": _FLAG, "type": "operational", "description": "{run}"},
            headers=admin,
            status=(201,),
        ),
        Call(
            name="give it to half of the users",
            method="POST",
            port=PORT,
            path=f"{place}/strategies",
            json=share,
            headers=admin,
        ),
        Call(name="turn it on", method="POST", port=PORT, path=f"{place}/on", headers=admin),
        Call(
            name="read it as an SDK does",
            port=PORT,
            path="/api/client/features",
            headers=sdk,
            expect=f'"name":"{_FLAG}","type":"operational","enabled":true',
            patience=10,
        ),
    )
    # Unleash writes each stage of a flag's life a second later, and ends with an error where the flag is gone by then.
    archived = '"stage":"archived"'
    end = (
        Call(name="archive it", method="DELETE", port=PORT, path=flag, headers=admin, status=(202,)),
        Call(name="see it archived", port=PORT, path=f"{flag}/lifecycle", headers=admin, expect=archived, patience=5),
        Call(name="remove it", method="DELETE", port=PORT, path=f"/api/admin/archive/{_FLAG}", headers=admin),
    )
    return (Calls(steps=(*steps, *end), cleanup=end), postgres.login(NAME, env.db_password))


def _flags(env: Env) -> Flags:
    admin = {"Authorization": _admin_token(env)}
    place = "/api/admin/projects/{project}/features/{flag}/environments/{environment}"
    page = f"/api/admin/search/features?limit={PAGE}&offset={{offset}}"
    return Flags(
        page=Call(name="list flags", port=PORT, path=page, headers=admin),
        on=Call(name="turn the flag on", method="POST", port=PORT, path=f"{place}/on", headers=admin),
        off=Call(name="turn the flag off", method="POST", port=PORT, path=f"{place}/off", headers=admin),
    )


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Unleash",
    layer=Layer.PLATFORM,
    env=Env,
    image="unleashorg/unleash-server:8.2.0",
    needs=(postgres.SERVICE,),
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    # Secrets come from a file that the shell reads, so that they do not show in `docker inspect`.
    command=("sh", "-c", f"{_READ_ENV} && exec node dist/server.js"),
    environment=lambda env: {
        "DATABASE_SSL": "false",
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        # At `info` the admin password would be written to the log.
        "LOG_LEVEL": "warn",
        "NODE_OPTIONS": "--max-old-space-size=256",
    },
    mounts=lambda env: (Inline(path=_ENV_FILE, text=_env_file(env), uid=UID, gid=UID),),
    labels=lambda env: web(NAME, PORT),
    limits=Limits(memory_mb=448),
    healthcheck=Healthcheck(test=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/health")),
    process=Process(
        sources=(SOURCE,),
        command=lambda env: ("/bin/sh", "-c", f"{_READ_ENV} && exec {{program}} {_PROGRAM}"),
        environment=lambda env: {
            "NODE_ENV": "production",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(env.host_port),
        },
    ),
    monitoring=Monitoring(
        rate='sum(rate(http_request_duration_milliseconds_count{job="$id"}[2m]))', unit=Unit.REQUESTS
    ),
    # The health pages answer without a database; this one asks it, and proves the token.
    probe=lambda env: Http(
        port=PORT, path="/api/admin/environments", body="development", headers={"Authorization": _admin_token(env)}
    ),
    helpers=(postgres.database(NAME, Env),),
    proofs=_proofs,
    resources=_resources,
    connect=lambda env, where: {
        "UNLEASH_URL": f"http://{where.at(PORT)}/api",
        "UNLEASH_API_TOKEN": _sdk_token(env.backend_token),
        "UNLEASH_FRONTEND_API_URL": f"http://{where.at(PORT)}/api/frontend",
        "UNLEASH_FRONTEND_API_TOKEN": _sdk_token(env.frontend_token),
    },
    holds=lambda env: (_flags(env),),
    rotations=_ROTATIONS,
    links=lambda env: (
        Link(
            name="ui",
            url=f"http://127.0.0.1:{env.host_port}",
            user=USER,
            secret=env.admin_password.get_secret_value(),
            page=True,
        ),
        Link(
            name="backend",
            url=f"http://127.0.0.1:{env.host_port}/api",
            secret=_sdk_token(env.backend_token),
        ),
        Link(
            name="frontend",
            url=f"http://127.0.0.1:{env.host_port}/api/frontend",
            secret=_sdk_token(env.frontend_token),
        ),
    ),
)
