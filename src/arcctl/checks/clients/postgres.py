"""The probe of a Postgres server, and smoke tests in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, LiteralString

from arcctl.checks.clients.steps import Run, cleaned, expect, short
from arcctl.checks.database_report import Extension, ServerState, answer
from arcctl.model.names import LOOPBACK
from arcctl.model.probe import Answer, Postgres
from arcctl.model.smoke_test import Sql

if TYPE_CHECKING:
    import psycopg

_Rows = list[tuple[Any, ...]]
OURS = "arcctl health"
"""The application name of probes, which are not counted."""
_EXTENSIONS: LiteralString = """\
SELECT extname, extversion, default_version FROM pg_extension JOIN pg_available_extensions ON name = extname
 WHERE extversion <> default_version ORDER BY 1
"""
_STATE: LiteralString = """\
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int,
       (SELECT coalesce(json_object_agg(who, number), '{}') FROM (
          SELECT concat_ws(' ', usename, '(' || nullif(application_name, '') || ')') AS who, count(*) AS number
            FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND application_name <> %(ours)s GROUP BY 1) AS holders),
       (SELECT coalesce(json_agg(datname ORDER BY datname), '[]')
          FROM pg_database WHERE datcollversion <> pg_database_collation_actual_version(oid)),
       EXISTS (SELECT FROM pg_roles WHERE rolname = %(client)s)
         AND EXISTS (SELECT FROM pg_database WHERE datname = %(client)s)
"""


async def ask_postgres(probe: Postgres, port: int) -> Answer:
    """Raises what the superuser meets: without it nobody can say more."""
    as_client, as_superuser = await _together(
        _rows(port, probe.user, probe.password, _EXTENSIONS),
        _rows(port, probe.superuser, probe.superuser_password, _STATE, client=probe.user, ours=OURS),
    )
    if isinstance(as_superuser, BaseException):
        raise as_superuser
    refused = short(str(as_client).strip().splitlines()[-1]) if isinstance(as_client, BaseException) else ""
    extensions = () if isinstance(as_client, BaseException) else tuple(Extension(*row) for row in as_client)
    return answer(probe, ServerState(*as_superuser[0]), refused, extensions)


async def _together(*logins: Awaitable[_Rows]) -> list[_Rows | BaseException]:
    return await asyncio.gather(*logins, return_exceptions=True)


async def _rows(port: int, user: str, password: str, query: LiteralString, **values: str) -> _Rows:
    """In the database of the same name."""
    connection = await _connect(port, user, user, password, application_name=OURS)
    async with connection:
        return await (await connection.execute(query, values)).fetchall()


async def _connect(
    port: int, user: str, database: str, password: str, **options: str
) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    import psycopg

    login: dict[str, Any] = {"user": user, "password": password, "dbname": database, **options}
    return await psycopg.AsyncConnection.connect(host=LOOPBACK, port=port, sslmode="disable", autocommit=True, **login)


async def run_sql(smoke_test: Sql, run: Run) -> None:
    async with run.step(f"log in as {smoke_test.user}", smoke_test.at):
        port = run.port(smoke_test.port, smoke_test.at)
        connection = await _connect(port, smoke_test.user, smoke_test.database, smoke_test.password)

    async def clean() -> None:
        for text in smoke_test.cleanup:
            await connection.execute(run.filled(text))

    async with connection, cleaned(clean):
        for statement in smoke_test.steps:
            async with run.step(statement.name, smoke_test.at):
                cursor = await connection.execute(run.filled(statement.sql))
                if statement.expect:
                    row = await cursor.fetchone()
                    expect(",".join(str(value) for value in row or ()), run.filled(statement.expect))
