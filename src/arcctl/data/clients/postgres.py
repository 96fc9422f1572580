"""Databases of a Postgres server, over psycopg."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from arcctl.checks import locks_report
from arcctl.checks.clients.postgres import EXTENSIONS, LOCKS, Locked, connect, limited
from arcctl.checks.clients.steps import short
from arcctl.checks.locks_report import Holder
from arcctl.data.report import Database, DropImpact, Obstacle, Refreshed, Table
from arcctl.errors import UnhealthyError
from arcctl.model.data_store import LOCK_SECONDS, Databases
from arcctl.model.names import LOOPBACK

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
SHOWN = 10
"""Tables, or what is in the way, that are listed before a database is dropped."""
Values = tuple[object, ...] | Mapping[str, object]

_DATABASES: LiteralString = """\
SELECT datname, pg_get_userbyid(datdba), coalesce(pg_database_size(oid), 0), datistemplate, datconnlimit = -2,
       datallowconn AND datconnlimit <> -2
  FROM pg_database ORDER BY datname
"""
_SESSIONS: LiteralString = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
_TABLES: LiteralString = """\
SELECT n.nspname || '.' || c.relname, pg_total_relation_size(c.oid), count(*) OVER ()
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY 2 DESC, 1 LIMIT %s
"""
_OPEN: LiteralString = """\
SELECT datname, datallowconn, coalesce(datcollversion <> pg_database_collation_actual_version(oid), false)
  FROM pg_database WHERE datconnlimit <> -2 ORDER BY datname
"""
_COLLATIONS: LiteralString = """\
SELECT nspname, collname FROM pg_collation JOIN pg_namespace n ON n.oid = collnamespace
 WHERE collversion <> pg_collation_actual_version(pg_collation.oid)
"""
_IN_THE_WAY: LiteralString = """\
SELECT concat('the subscription ' || quote_ident(subname),
              ', whose slot ' || quote_ident(subslotname) || ' stays at its publisher'),
       datname::text,
       format('ALTER SUBSCRIPTION %%1$I DISABLE; ALTER SUBSCRIPTION %%1$I SET (slot_name = NONE);'
              ' DROP SUBSCRIPTION %%1$I', subname)
  FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = %(name)s
UNION ALL
SELECT 'the replication slot ' || quote_ident(slot_name) || ', which pid ' || active_pid || ' reads',
       %(user)s::text, 'table pg_replication_slots'
  FROM pg_replication_slots WHERE database = %(name)s AND active
UNION ALL
SELECT 'the prepared transaction ' || quote_literal(gid), %(user)s::text, 'table pg_prepared_xacts'
  FROM pg_prepared_xacts WHERE database = %(name)s
"""
"""What refuses DROP DATABASE, also with FORCE; in which database, and the SQL that shows or removes it."""
_DEPENDENCIES = (
    "select pg_describe_object(classid, objid, objsubid) from pg_shdepend where refobjid = $${}$$::regrole"
    " and dbid in (0, (select oid from pg_database where datname = current_database()))"
)
"""What a role owns or may use, in this database and in none."""
_ELSEWHERE: LiteralString = """\
SELECT coalesce(datname, ''), count(*),
       coalesce(string_agg(pg_describe_object(classid, objid, objsubid), ', ') FILTER (WHERE dbid = 0), '')
  FROM pg_shdepend LEFT JOIN pg_database d ON d.oid = dbid
 WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
   AND coalesce(datname, '') <> %(name)s
   AND NOT (classid = 'pg_database'::regclass
            AND objid = coalesce((SELECT oid FROM pg_database WHERE datname = %(name)s), 0))
   AND NOT (classid = 'pg_auth_members'::regclass
            AND EXISTS (SELECT FROM pg_auth_members m
                         WHERE (to_jsonb(m)->>'oid')::oid = objid AND refobjid IN (m.roleid, m.member)))
 GROUP BY datname ORDER BY 1
"""
"""What refuses DROP ROLE once its database is gone, by database; those of no database are named."""
_OF_ROLE: LiteralString = """\
SELECT pg_describe_object(classid, objid, objsubid)
  FROM pg_shdepend
 WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = %(role)s)
   AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY 1 LIMIT %(most)s
"""


@dataclass(frozen=True)
class LoopbackDatabases:
    """Connects as the superuser to a published port."""

    service: str
    store: Databases
    port: int
    host: str = LOOPBACK

    async def databases(self) -> tuple[Database, ...]:
        rows = await self._in_server(_DATABASES)
        names = ("name", "owner", "bytes", "template", "invalid", "open")
        return tuple(Database(**dict(zip(names, row, strict=True))) for row in rows)

    async def roles(self) -> frozenset[str]:
        return frozenset(row[0] for row in await self._in_server("SELECT rolname FROM pg_roles"))

    async def drop_impact(self, name: str) -> DropImpact:
        (database,) = [d for d in await self.databases() if d.name == name]
        tables = await self._rows(name, _TABLES, (SHOWN,)) if database.open else []
        ((sessions,),) = await self._in_server(_SESSIONS, (name,))
        return DropImpact(
            bytes=database.bytes,
            sessions=sessions,
            tables=(tables[0][2] if tables else 0) if database.open else None,
            largest=tuple(Table(name=n, bytes=b) for n, b, _ in tables),
        )

    async def obstacles(self, name: str, role: str) -> tuple[Obstacle, ...]:
        values = {"name": name, "role": role, "user": self.store.user}
        found = [Obstacle(*row) for row in await self._in_server(_IN_THE_WAY, values)]
        for database, number, shared in await self._in_server(_ELSEWHERE, values) if role else ():
            what = await self._of_role(role, database, number) if database else shared
            text = f"what the role {role} owns or may use elsewhere: {what}"
            found.append(Obstacle(text, database or self.store.user, _DEPENDENCIES.format(role)))
        return tuple(found)

    async def _of_role(self, role: str, database: str, number: int) -> str:
        """The first things of a role in a database; only their number where nobody can connect to it."""
        try:
            rows = await self._rows(database, _OF_ROLE, {"role": role, "most": SHOWN})
        except UnhealthyError:
            rows = []
        more = number - len(rows)
        names = [*(row[0] for row in rows), *([f"{more} more" if rows else f"{more} objects"] if more else [])]
        return f"{', '.join(names)} in the database {database}"

    async def drop(self, name: str, role: str) -> None:
        """Closes open connections. The role owns the database, so it is dropped after it."""
        from psycopg import sql

        async with self._connected(self.store.user) as connection:
            await limited(connection, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            if role:
                await limited(connection, sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    async def blocked(self, names: Collection[str]) -> tuple[Holder, ...]:
        ids = [
            row[0]
            for row in await self._in_server("SELECT oid FROM pg_database WHERE datname = ANY(%s)", (list(names),))
        ]
        values = {"pid": 0, "who": None, "ids": ids, "seconds": LOCK_SECONDS, "cancel": False}
        ((text,),) = await self._in_server(LOCKS, values)
        return locks_report.read_holders(text)

    async def refresh(self) -> tuple[Refreshed, ...]:
        """Each version is noted only after the indexes were rebuilt, so that an interrupted one is done again."""
        found = [
            await self._refresh(name, outdated=outdated) if open_ else await self._note_version(name, outdated)
            for name, open_, outdated in await self._in_server(_OPEN)
        ]
        return tuple(one for one in found if one.reindexed or one.extensions)

    async def _refresh(self, name: str, *, outdated: bool) -> Refreshed:
        from psycopg import sql

        async with self._connected(name) as connection:
            extensions = [row[0] for row in await (await limited(connection, EXTENSIONS)).fetchall()]
            for extension in extensions:
                await limited(connection, sql.SQL("ALTER EXTENSION {} UPDATE").format(sql.Identifier(extension)))
            collations = await (await limited(connection, _COLLATIONS)).fetchall()
            if outdated or collations:
                await limited(connection, sql.SQL("REINDEX DATABASE {}").format(sql.Identifier(name)))
            for collation in collations:
                statement = sql.SQL("ALTER COLLATION {} REFRESH VERSION").format(sql.Identifier(*collation))
                await limited(connection, statement)
        if outdated:
            await self._note_version(name, outdated)
        return Refreshed(database=name, reindexed=bool(outdated or collations), extensions=tuple(extensions))

    async def _note_version(self, name: str, outdated: bool) -> Refreshed:
        """Of a database that nobody can connect to only this can be done: it is a template without text."""
        from psycopg import sql

        if outdated:
            async with self._connected(self.store.user) as connection:
                statement = sql.SQL("ALTER DATABASE {} REFRESH COLLATION VERSION").format(sql.Identifier(name))
                await limited(connection, statement)
        return Refreshed(database=name, reindexed=False, extensions=())

    async def _in_server(self, query: LiteralString, values: Values = ()) -> list[Any]:
        """In the database that every role can connect to."""
        return await self._rows(self.store.user, query, values)

    async def _rows(self, database: str, query: LiteralString, values: Values = ()) -> list[Any]:
        async with self._connected(database) as connection:
            return await (await limited(connection, query, values)).fetchall()

    @contextlib.asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Raises UnhealthyError with the message of the server."""
        import psycopg

        place, user, password = (self.host, self.port), self.store.user, self.store.password
        try:
            connection = await connect(place, user, database, password, connect_timeout=CONNECT_SECONDS)
            async with connection:
                yield connection
        except Locked as error:
            hint = locks_report.hint(self.service, self.store.user, error.holders)
            raise UnhealthyError(f"{self.service}: {error}", hint=hint) from None
        except psycopg.Error as error:
            message = f"{self.service}: {short(str(error))}"
            raise UnhealthyError(message, hint=f"arcctl health {self.service}") from None
