"""Databases of a Postgres server, over psycopg."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from arcctl.checks.clients.steps import short
from arcctl.data.report import Database, DropImpact, Refreshed, Table
from arcctl.errors import UnhealthyError
from arcctl.model.data_store import Databases
from arcctl.model.names import LOOPBACK

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
SHOWN = 10
"""Tables that are listed before a database is dropped."""

_DATABASES: LiteralString = """\
SELECT datname, pg_get_userbyid(datdba), pg_database_size(oid), datistemplate OR NOT datallowconn
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
_EXTENSIONS: LiteralString = """\
SELECT extname FROM pg_extension JOIN pg_available_extensions ON name = extname
 WHERE extversion <> default_version ORDER BY 1
"""


@dataclass(frozen=True)
class LoopbackDatabases:
    """Connects as the superuser to a published port on 127.0.0.1."""

    service: str
    store: Databases
    port: int

    async def databases(self) -> tuple[Database, ...]:
        rows = await self._rows(self.store.user, _DATABASES)
        return tuple(Database(name=n, owner=o, bytes=b, template=t) for n, o, b, t in rows)

    async def roles(self) -> frozenset[str]:
        return frozenset(row[0] for row in await self._rows(self.store.user, "SELECT rolname FROM pg_roles"))

    async def drop_impact(self, name: str) -> DropImpact:
        tables = await self._rows(name, _TABLES, (SHOWN,))
        ((sessions,),) = await self._rows(self.store.user, _SESSIONS, (name,))
        (size,) = [d.bytes for d in await self.databases() if d.name == name]
        return DropImpact(
            bytes=size,
            sessions=sessions,
            tables=tables[0][2] if tables else 0,
            largest=tuple(Table(name=n, bytes=b) for n, b, _ in tables),
        )

    async def drop(self, name: str, role: str) -> None:
        """Closes open connections. The role owns the database, so it is dropped after it."""
        from psycopg import sql

        async with self._connected(self.store.user) as connection:
            await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            if role:
                await connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    async def refresh(self) -> tuple[Refreshed, ...]:
        """Each version is noted only after the indexes were rebuilt, so that an interrupted one is done again."""
        found = [
            await self._refresh(name, outdated=outdated) if open_ else await self._note_version(name, outdated)
            for name, open_, outdated in await self._rows(self.store.user, _OPEN)
        ]
        return tuple(one for one in found if one.reindexed or one.extensions)

    async def _refresh(self, name: str, *, outdated: bool) -> Refreshed:
        from psycopg import sql

        async with self._connected(name) as connection:
            extensions = [row[0] for row in await (await connection.execute(_EXTENSIONS)).fetchall()]
            for extension in extensions:
                await connection.execute(sql.SQL("ALTER EXTENSION {} UPDATE").format(sql.Identifier(extension)))
            collations = await (await connection.execute(_COLLATIONS)).fetchall()
            if outdated or collations:
                await connection.execute(sql.SQL("REINDEX DATABASE {}").format(sql.Identifier(name)))
            for collation in collations:
                statement = sql.SQL("ALTER COLLATION {} REFRESH VERSION").format(sql.Identifier(*collation))
                await connection.execute(statement)
        if outdated:
            await self._note_version(name, outdated)
        return Refreshed(database=name, reindexed=bool(outdated or collations), extensions=tuple(extensions))

    async def _note_version(self, name: str, outdated: bool) -> Refreshed:
        """Of a database that nobody can connect to only this can be done: it is a template without text."""
        from psycopg import sql

        if outdated:
            async with self._connected(self.store.user) as connection:
                statement = sql.SQL("ALTER DATABASE {} REFRESH COLLATION VERSION").format(sql.Identifier(name))
                await connection.execute(statement)
        return Refreshed(database=name, reindexed=False, extensions=())

    async def _rows(self, database: str, query: LiteralString, values: tuple[object, ...] = ()) -> list[Any]:
        async with self._connected(database) as connection:
            return await (await connection.execute(query, values)).fetchall()

    @contextlib.asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Raises UnhealthyError with the message of the server."""
        import psycopg

        login: dict[str, Any] = {"user": self.store.user, "password": self.store.password, "dbname": database}
        try:
            connection = await psycopg.AsyncConnection.connect(
                host=LOOPBACK,
                port=self.port,
                sslmode="disable",
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                **login,
            )
            async with connection:
                yield connection
        except psycopg.Error as error:
            message = f"{self.service}: {short(str(error))}"
            raise UnhealthyError(message, hint=f"arcctl health {self.service}") from None
