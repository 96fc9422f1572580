"""The client for databases of a Postgres server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, LiteralString

from arcctl.core.contents import Database, Databases, Loss, Table
from arcctl.core.local import LOOPBACK
from arcctl.errors import UnhealthyError
from arcctl.runtime.steps import short

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
SHOWN = 10
"""Tables that a loss names."""

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


class LoopbackDatabases:
    """Speaks as the superuser at a published loopback port."""

    def __init__(self, service: str, held: Databases, port: int) -> None:
        self._service = service
        self._held = held
        self._port = port

    async def databases(self) -> tuple[Database, ...]:
        rows = await self._rows(self._held.user, _DATABASES)
        return tuple(Database(name=n, owner=o, bytes=b, template=t) for n, o, b, t in rows)

    async def roles(self) -> frozenset[str]:
        return frozenset(row[0] for row in await self._rows(self._held.user, "SELECT rolname FROM pg_roles"))

    async def loss(self, name: str) -> Loss:
        tables = await self._rows(name, _TABLES, (SHOWN,))
        ((sessions,),) = await self._rows(self._held.user, _SESSIONS, (name,))
        (size,) = [d.bytes for d in await self.databases() if d.name == name]
        return Loss(
            bytes=size,
            sessions=sessions,
            tables=tables[0][2] if tables else 0,
            largest=tuple(Table(name=n, bytes=b) for n, b, _ in tables),
        )

    async def drop(self, name: str, role: str) -> None:
        """Ends the sessions that are in it. The role goes after the database, which it owns."""
        from psycopg import sql

        async with self._connected(self._held.user) as connection:
            await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            if role:
                await connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    async def _rows(self, database: str, query: LiteralString, values: tuple[object, ...] = ()) -> list[Any]:
        async with self._connected(database) as connection:
            return await (await connection.execute(query, values)).fetchall()

    @contextlib.asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Raises UnhealthyError in the server's own words."""
        import psycopg

        login: dict[str, Any] = {"user": self._held.user, "password": self._held.password, "dbname": database}
        try:
            connection = await psycopg.AsyncConnection.connect(
                host=LOOPBACK,
                port=self._port,
                sslmode="disable",
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                **login,
            )
            async with connection:
                yield connection
        except psycopg.Error as error:
            message = f"{self._service}: {short(str(error))}"
            raise UnhealthyError(message, hint=f"arcctl health {self._service}") from None
