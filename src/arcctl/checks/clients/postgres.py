"""The probe of a Postgres server, and smoke tests in SQL."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, LiteralString

from arcctl.checks.clients.steps import Run, cleaned, expect, short
from arcctl.checks.database_report import Extension, ServerState, answer
from arcctl.checks.locks_report import POLL_SECONDS, Holder, explained, read_holders
from arcctl.model.data_store import LOCK_SECONDS
from arcctl.model.probe import Answer, Postgres
from arcctl.model.smoke_test import Sql

if TYPE_CHECKING:
    import psycopg
    from psycopg.adapt import AdaptersMap

_Rows = list[tuple[Any, ...]]
Place = tuple[str, int]
"""Host and port."""


class Locked(Exception):
    """A statement waited too long for a lock, and was cancelled."""

    def __init__(self, holders: tuple[Holder, ...]) -> None:
        super().__init__(explained(holders))
        self.holders = holders


OURS = "arcctl health"
"""The application name of probes, which are not counted."""
EXTENSIONS: LiteralString = """\
SELECT extname, extversion, default_version FROM pg_extension JOIN pg_available_extensions ON name = extname
 WHERE extversion <> default_version ORDER BY 1
"""
"""The extensions of a database of which the server has another version."""
LOCKS: LiteralString = """\
WITH found AS (
  SELECT DISTINCT w.pid AS waiter, holder AS pid, coalesce(h.application_name, '') AS application,
         coalesce(host(h.client_addr), '') AS address, coalesce(h.state, '') AS state,
         coalesce(to_char(coalesce(h.xact_start, h.backend_start), 'YYYY-MM-DD HH24:MI:SSOF'), '') AS since
    FROM pg_stat_get_activity(NULL) AS w
         CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS holder
         LEFT JOIN pg_stat_get_activity(NULL) AS h ON h.pid = holder
   WHERE (w.pid = %(pid)s OR w.application_name = %(who)s OR w.datid = ANY (%(ids)s::oid[]))
     AND w.wait_event_type = 'Lock'
     AND EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = w.pid AND NOT l.granted
                    AND coalesce((to_jsonb(l)->>'waitstart')::timestamptz, w.query_start)
                        < clock_timestamp() - make_interval(secs => %(seconds)s))
)
SELECT coalesce(json_agg(to_jsonb(found) - 'waiter'), '[]')::text FROM found
 WHERE CASE WHEN %(cancel)s THEN pg_cancel_backend(waiter) ELSE true END
"""
"""Who holds the locks that statements wait for, which this can cancel. Reads no table that could be locked."""
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
_DATABASES: LiteralString = """\
SELECT datname FROM pg_database WHERE datallowconn AND datconnlimit <> -2 AND NOT datistemplate ORDER BY 1
"""
"""Those that can be connected to. Nothing can be copied from a template while somebody is."""
AT_ONCE = 4
"""Connections at the same time, of which a server has few."""


async def ask_postgres(probe: Postgres, port: int, host: str) -> Answer:
    """Raises what the superuser meets: without it nobody can say more."""
    place, superuser = (host, port), (probe.superuser, probe.superuser_password, probe.superuser)
    as_client, as_superuser, extensions = await asyncio.gather(
        _rows(place, probe.user, probe.password, probe.user, "SELECT 1"),
        _rows(place, *superuser, _STATE, client=probe.user, ours=OURS),
        _behind(probe, place),
        return_exceptions=True,
    )
    if isinstance(as_superuser, BaseException):
        raise as_superuser
    refused = short(str(as_client).strip().splitlines()[-1]) if isinstance(as_client, BaseException) else ""
    return answer(
        probe, ServerState(*as_superuser[0]), refused, () if isinstance(extensions, BaseException) else extensions
    )


async def _behind(probe: Postgres, place: Place) -> tuple[Extension, ...]:
    """The extensions of all databases that are not as new as the server's; of one that nobody can enter, nothing."""
    free = asyncio.Semaphore(AT_ONCE)

    async def rows(database: str, query: LiteralString) -> _Rows:
        async with free:
            return await _rows(place, probe.superuser, probe.superuser_password, database, query)

    names = [row[0] for row in await rows(probe.superuser, _DATABASES)]
    found = await asyncio.gather(*(rows(name, EXTENSIONS) for name in names), return_exceptions=True)
    return tuple(
        Extension(name, *row)
        for name, extensions in zip(names, found, strict=True)
        if not isinstance(extensions, BaseException)
        for row in extensions
    )


async def _rows(place: Place, user: str, password: str, database: str, query: LiteralString, **values: str) -> _Rows:
    connection = await connect(place, user, database, password, application_name=OURS)
    async with connection:
        return await (await connection.execute(query, values)).fetchall()


async def connect(
    place: Place, user: str, database: str, password: str, **options: str | int
) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    import psycopg

    login: dict[str, Any] = {"user": user, "password": password, "dbname": database, **options}
    return await psycopg.AsyncConnection.connect(
        host=place[0], port=place[1], sslmode="disable", autocommit=True, context=_adapters(), **login
    )


@functools.cache
def _adapters() -> AdaptersMap:
    """Text is `str` also from an SQL_ASCII database, where it may be in any encoding: psycopg returns bytes."""
    import psycopg
    from psycopg.adapt import AdaptersMap, Buffer
    from psycopg.types.string import TextLoader

    class Text(TextLoader):
        def load(self, data: Buffer) -> str:
            text = super().load(data)
            return text if isinstance(text, str) else text.decode(errors="replace")

    adapters = AdaptersMap(psycopg.adapters)
    for type_ in (0, "text", "name", "varchar", "bpchar", '"char"'):
        adapters.register_loader(type_, Text)
    return adapters


async def limited(
    connection: psycopg.AsyncConnection[Any], query: Any, values: Mapping[str, Any] | tuple[Any, ...] | None = None
) -> psycopg.AsyncCursor[Any]:
    """Run a statement. Raises Locked where it waits too long for a lock."""
    from psycopg.errors import QueryCanceled

    work, holders = asyncio.ensure_future(connection.execute(query, values)), tuple[Holder, ...]()
    try:
        while not (await asyncio.wait({work}, timeout=POLL_SECONDS))[0]:
            holders = holders or await _holders(connection)
        return work.result()
    except QueryCanceled:
        if holders:
            raise Locked(holders) from None
        raise
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _holders(waiting: psycopg.AsyncConnection[Any]) -> tuple[Holder, ...]:
    """Who holds the lock that a statement waits for, which is cancelled where it has waited too long."""
    import psycopg

    info = waiting.info
    values: dict[str, object] = {
        "pid": info.backend_pid,
        "who": None,
        "ids": [],
        "seconds": LOCK_SECONDS,
        "cancel": True,
    }
    try:
        connection = await connect((info.host, info.port), info.user, info.dbname, info.password, application_name=OURS)
        async with connection:
            ((text,),) = await (await connection.execute(LOCKS, values)).fetchall()
    except psycopg.Error:  # nobody can say
        return ()
    return read_holders(text)


async def run_sql(smoke_test: Sql, run: Run) -> None:
    """In its database, or one after the other in each that can be connected to."""
    if not smoke_test.everywhere:
        return await _run_in(smoke_test.database, "", smoke_test, run)
    async with run.step(f"log in as {smoke_test.user}", smoke_test.at):
        place = run.place(smoke_test.port, smoke_test.at)
        names = await _rows(place, smoke_test.user, smoke_test.password, smoke_test.database, _DATABASES)
    for (name,) in names:
        await _run_in(name, f" in {name}", smoke_test, run)
    return None


async def _run_in(database: str, place: str, smoke_test: Sql, run: Run) -> None:
    async with run.step(f"log in as {smoke_test.user}{place}", smoke_test.at):
        at = run.place(smoke_test.port, smoke_test.at)
        connection = await connect(at, smoke_test.user, database, smoke_test.password)

    async def clean() -> None:
        for text in smoke_test.cleanup:
            await connection.execute(run.filled(text))

    async with connection, cleaned(clean):
        for statement in smoke_test.steps:
            async with run.step(f"{statement.name}{place}", smoke_test.at):
                cursor = await limited(connection, run.filled(statement.sql))
                if statement.expect:
                    row = await cursor.fetchone()
                    expect(",".join(str(value) for value in row or ()), run.filled(statement.expect))
