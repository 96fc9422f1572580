"""Databases of a Postgres server: how one is created, tested and connected to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from arcctl.model.connection import Client, Where
from arcctl.model.data_store import Databases
from arcctl.model.env import reveal
from arcctl.model.resource import Resource
from arcctl.model.rotation import Rotation
from arcctl.model.smoke_test import SmokeTest, Sql, Statement

_ROLE = """\
SELECT 'CREATE ROLE {role} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE {role} WITH LOGIN PASSWORD '{password}';
"""
_DATABASE = """\
SELECT 'CREATE DATABASE {role} OWNER {role}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{role}') \\gexec
REVOKE CONNECT ON DATABASE {role} FROM PUBLIC;
\\connect {role}
CREATE EXTENSION IF NOT EXISTS vector;
\\connect postgres
"""


@dataclass(frozen=True)
class Server:
    host: str
    """The id of its service."""
    port: int
    superuser: str
    """Also the name of the database that every role can connect to."""


_VECTORS = Statement("find pgvector", "SELECT count(*) FROM pg_extension WHERE extname = 'vector'", "1")
CURRENT_VECTORS = Statement(
    "have the pgvector of the server",
    "SELECT extversion = default_version FROM pg_extension JOIN pg_available_extensions ON name = extname"
    " WHERE extname = 'vector'",
    "True",
)
"""A newer image has a newer one, and a database keeps its version until it is updated."""
_NO_OLD_VECTORS = Statement(
    "have no older pgvector than the server",
    "SELECT count(*) FROM pg_extension JOIN pg_available_extensions ON name = extname"
    " WHERE extname = 'vector' AND extversion <> default_version",
    "0",
)
_UPDATE_VECTORS = Statement(
    "update pgvector",
    "DO $$ BEGIN IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')"
    " THEN ALTER EXTENSION vector UPDATE; END IF; END $$",
)


def login(server: Server, role: str, password: SecretStr) -> Sql:
    """A role can log in to its own database, which has pgvector."""
    secret = reveal(password)
    own = Statement(f"enter the database of {role}", "SELECT current_user, current_database()", f"{role},{role}")
    return Sql(user=role, password=secret, port=server.port, database=role, at=server.host, steps=(own, _VECTORS))


def _as_superuser(server: Server, secret: SecretStr, database: str, *steps: Statement) -> Sql:
    return Sql(
        user=server.superuser,
        password=reveal(secret),
        port=server.port,
        database=database or server.superuser,
        at=server.host,
        steps=steps,
    )


def resource(
    server: Server,
    name: str,
    superuser: SecretStr,
    check: Statement,
    *create: str,
    database: str = "",
    destroy: tuple[Statement, ...] = (),
) -> Resource:
    """A resource that the superuser checks by one query and creates by statements that can be repeated."""
    statements = (Statement(f"make {name}", sql) for sql in create)
    return Resource(
        name,
        _as_superuser(server, superuser, database, check),
        create=(_as_superuser(server, superuser, database, *statements),),
        hint=f"arcctl logs {server.host}",
        destroy=(_as_superuser(server, superuser, "", *destroy),) if destroy else (),
    )


def role(server: Server, name: str, password: SecretStr, superuser: SecretStr) -> Resource:
    """A role that logs in with this password; another password is set back to it."""
    secret = reveal(password)
    exists = f"SELECT FROM pg_roles WHERE rolname = '{name}'"
    create = f'DO $$ BEGIN IF NOT EXISTS ({exists}) THEN CREATE ROLE "{name}"; END IF; END $$'
    steps = (
        Statement(f"make role {name}", create),
        Statement(f"set the password of role {name}", f"ALTER ROLE \"{name}\" WITH LOGIN PASSWORD '{secret}'"),
    )
    drop = Statement(f"drop role {name}", f'DROP ROLE IF EXISTS "{name}"')
    return Resource(
        f"role {name}",
        Sql(user=name, password=secret, port=server.port, database=server.superuser, at=server.host, steps=()),
        create=(_as_superuser(server, superuser, "", *steps),),
        hint=f"arcctl logs {server.host}",
        destroy=(_as_superuser(server, superuser, "", drop),),
    )


def service_database(server: Server, name: str, password: SecretStr, superuser: SecretStr) -> tuple[Resource, ...]:
    """The role and the database of a consumer, with vectors in it."""
    owner = f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{name}'"
    return (
        role(server, name, password, superuser),
        resource(
            server,
            f"database {name}",
            superuser,
            Statement(f"find database {name}", owner, name),
            f'CREATE DATABASE "{name}" OWNER "{name}"',
            f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC',
            destroy=(Statement(f"drop database {name}", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'),),
        ),
        resource(
            server,
            f"vectors in {name}",
            superuser,
            CURRENT_VECTORS,
            "CREATE EXTENSION IF NOT EXISTS vector",
            "ALTER EXTENSION vector UPDATE",
            database=name,
        ),
    )


def no_old_vectors(server: Server, superuser: SecretStr) -> Sql:
    """In every database, also in those of users, no pgvector is older than the server's."""
    return replace(_as_superuser(server, superuser, "", _NO_OLD_VECTORS), everywhere=True)


def current_vectors(server: Server, superuser: SecretStr) -> Resource:
    """The pgvector of the server in every database that has one."""
    update = replace(_as_superuser(server, superuser, "", _UPDATE_VECTORS), everywhere=True)
    hint = f"arcctl logs {server.host}"
    return Resource("current vectors in all databases", no_old_vectors(server, superuser), create=(update,), hint=hint)


OVERRIDES = (
    "PGHOSTADDR", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGLOCALEDIR", "PGOPTIONS", "PGAPPNAME",
    "PGREQUIREAUTH", "PGCHANNELBINDING", "PGREQUIREPEER", "PGREQUIRESSL", "PGSSLNEGOTIATION", "PGSSLCOMPRESSION",
    "PGSSLCERT", "PGSSLKEY", "PGSSLCERTMODE", "PGSSLROOTCERT", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLSNI",
    "PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION", "PGSSLKEYLOGFILE", "PGMINPROTOCOLVERSION",
    "PGMAXPROTOCOLVERSION", "PGGSSENCMODE", "PGGSSLIB", "PGGSSDELEGATION", "PGKRBSRVNAME", "PGCONNECT_TIMEOUT",
    "PGCLIENTENCODING", "PGDATESTYLE", "PGTZ", "PGGEQO", "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS", "PGREALM",
)  # fmt: skip
"""Everything that libpq reads and `connect` does not set."""


def connect(server: Server, role: str, password: SecretStr, where: Where) -> dict[str, str]:
    """How a program finds a role's own database: by a URL, and by what libpq reads."""
    secret = reveal(password)
    return {
        "DATABASE_URL": f"postgresql://{role}:{secret}@{where.at(server.port)}/{role}",
        "PGHOST": where.host,
        "PGPORT": str(where.port(server.port)),
        "PGUSER": role,
        "PGPASSWORD": secret,
        "PGDATABASE": role,
        # Not in the URL, where some drivers refuse options that they do not know.
        "PGSSLMODE": "disable",
    }


def psql(role: str, password: SecretStr) -> Client:
    """The server's own client, in the role's own database unless its arguments name another."""
    login = {"PGUSER": role, "PGDATABASE": role, "PGPASSWORD": reveal(password)}
    return Client(user=role, words=("psql",), environment=login)


def data_store(server: Server, superuser: SecretStr) -> Databases:
    """Access to all databases for its superuser."""
    return Databases(
        port=server.port,
        user=server.superuser,
        password=reveal(superuser),
        new_database=lambda name, password: service_database(server, name, password, superuser),
    )


def role_rotation(
    server: Server, name: str, field: str, *, superuser: str = "password", by_hand: str = ""
) -> Rotation[Any]:
    """A role has one password at a time: open connections stay, new ones need the new password at once.

    `field` and `superuser` are the settings that hold its password and the superuser's.
    """

    def login(env: Any) -> Sql:
        secret: SecretStr = getattr(env, field)
        return replace(_as_superuser(server, secret, ""), user=name)

    def add_credential(old: Any, new: Any) -> tuple[SmokeTest, ...]:
        secret: SecretStr = getattr(new, field)
        sql = f"ALTER ROLE {name} WITH PASSWORD '{reveal(secret)}'"
        step = Statement(f"set the password of role {name}", sql)
        return (_as_superuser(server, getattr(old, superuser), "", step),)

    return Rotation(field, login, add_credential=add_credential, by_hand=by_hand)


def role_sql(role: str, password: SecretStr, *, database: bool = True) -> str:
    """SQL for psql that creates or corrects a role, its password and its own database."""
    text = _ROLE + (_DATABASE if database else "")
    return text.format(role=role, password=reveal(password))
