"""Databases of a Postgres server: how a role's own one is proved, set up and reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from arcctl.core.bootstrap import Resource
from arcctl.core.connect import Client, Where
from arcctl.core.contents import Databases
from arcctl.core.proof import Proof, Sql, Statement
from arcctl.core.secret import Rotation

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
    """Also the name of the database that everybody may enter."""


_VECTORS = Statement(name="find pgvector", sql="SELECT count(*) FROM pg_extension WHERE extname = 'vector'", expect="1")
CURRENT_VECTORS = Statement(
    name="have the pgvector that the server brings",
    sql="SELECT extversion = default_version FROM pg_extension JOIN pg_available_extensions ON name = extname"
    " WHERE extname = 'vector'",
    expect="True",
)
"""A newer image brings a newer one, and a database keeps what it was made with until it is told."""


def login(server: Server, role: str, password: SecretStr) -> Sql:
    """The proof that a consumer gets into its own database, and that its vectors are there."""
    secret = password.get_secret_value()
    own = Statement(
        name=f"enter the database of {role}", sql="SELECT current_user, current_database()", expect=f"{role},{role}"
    )
    return Sql(user=role, password=secret, port=server.port, database=role, at=server.host, steps=(own, _VECTORS))


def _as_superuser(server: Server, secret: SecretStr, database: str, *steps: Statement) -> Sql:
    return Sql(
        user=server.superuser,
        password=secret.get_secret_value(),
        port=server.port,
        database=database or server.superuser,
        at=server.host,
        steps=steps,
    )


def held(
    server: Server,
    name: str,
    superuser: SecretStr,
    look: Statement,
    *make: str,
    database: str = "",
    destroy: tuple[Statement, ...] = (),
) -> Resource:
    """What the superuser looks for with one query, and makes with statements that may have been run before."""
    statements = (Statement(name=f"make {name}", sql=sql) for sql in make)
    return Resource(
        name=name,
        look=_as_superuser(server, superuser, database, look),
        make=(_as_superuser(server, superuser, database, *statements),),
        hint=f"arcctl logs {server.host}",
        destroy=(_as_superuser(server, superuser, "", *destroy),) if destroy else (),
    )


def role(server: Server, name: str, password: SecretStr, superuser: SecretStr) -> Resource:
    """A role that logs in with this password; another password is set back to it."""
    secret = password.get_secret_value()
    exists = f"SELECT FROM pg_roles WHERE rolname = '{name}'"
    create = f'DO $$ BEGIN IF NOT EXISTS ({exists}) THEN CREATE ROLE "{name}"; END IF; END $$'
    steps = (
        Statement(name=f"make role {name}", sql=create),
        Statement(name=f"set the password of role {name}", sql=f"ALTER ROLE \"{name}\" WITH LOGIN PASSWORD '{secret}'"),
    )
    drop = Statement(name=f"drop role {name}", sql=f'DROP ROLE IF EXISTS "{name}"')
    return Resource(
        name=f"role {name}",
        look=Sql(user=name, password=secret, port=server.port, database=server.superuser, at=server.host, steps=()),
        make=(_as_superuser(server, superuser, "", *steps),),
        hint=f"arcctl logs {server.host}",
        destroy=(_as_superuser(server, superuser, "", drop),),
    )


def own_database(server: Server, name: str, password: SecretStr, superuser: SecretStr) -> tuple[Resource, ...]:
    """The role and the database of a consumer, with vectors in it."""
    owner = f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{name}'"
    return (
        role(server, name, password, superuser),
        held(
            server,
            f"database {name}",
            superuser,
            Statement(name=f"find database {name}", sql=owner, expect=name),
            f'CREATE DATABASE "{name}" OWNER "{name}"',
            f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC',
            destroy=(Statement(name=f"drop database {name}", sql=f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'),),
        ),
        held(
            server,
            f"vectors in {name}",
            superuser,
            CURRENT_VECTORS,
            "CREATE EXTENSION IF NOT EXISTS vector",
            "ALTER EXTENSION vector UPDATE",
            database=name,
        ),
    )


def connect(server: Server, role: str, password: SecretStr, where: Where) -> dict[str, str]:
    """How a program finds a role's own database: by a URL, and by what libpq reads."""
    secret = password.get_secret_value()
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
    """The server's own client, beside the server, in a role's own database unless its words say another."""
    login = {"PGUSER": role, "PGDATABASE": role, "PGPASSWORD": password.get_secret_value()}
    return Client(user=role, words=("psql",), environment=login)


def holding(server: Server, superuser: SecretStr) -> Databases:
    """How its superuser gets at all databases."""
    return Databases(
        port=server.port,
        user=server.superuser,
        password=superuser.get_secret_value(),
        own=lambda name, password: own_database(server, name, password, superuser),
    )


def role_rotation(
    server: Server, name: str, field: str, *, superuser: str = "password", by_hand: str = ""
) -> Rotation[Any]:
    """A role has one password at a time: connections that are open stay, new ones need the new one at once.

    `field` and `superuser` are the settings that hold its password and the superuser's.
    """

    def login(env: Any) -> Sql:
        secret: SecretStr = getattr(env, field)
        return replace(_as_superuser(server, secret, ""), user=name)

    def admit(old: Any, new: Any) -> tuple[Proof, ...]:
        secret: SecretStr = getattr(new, field)
        sql = f"ALTER ROLE {name} WITH PASSWORD '{secret.get_secret_value()}'"
        step = Statement(name=f"set the password of role {name}", sql=sql)
        return (_as_superuser(server, getattr(old, superuser), "", step),)

    return Rotation(field=field, login=login, admit=admit, by_hand=by_hand)


def role_sql(role: str, password: SecretStr, *, database: bool = True) -> str:
    """SQL for psql that ends, from any state, with this role, this password and a database of its own."""
    text = _ROLE + (_DATABASE if database else "")
    return text.format(role=role, password=password.get_secret_value())
