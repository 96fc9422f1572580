"""Smoke tests in SQL."""

from __future__ import annotations

from typing import Any

from arcctl.checks.clients.steps import Run, cleaned, expect
from arcctl.model.names import LOOPBACK
from arcctl.model.smoke_test import Sql


async def run_sql(smoke_test: Sql, run: Run) -> None:
    import psycopg

    login: dict[str, Any] = {"user": smoke_test.user, "password": smoke_test.password, "dbname": smoke_test.database}
    async with run.step(f"log in as {smoke_test.user}", smoke_test.at):
        port = run.port(smoke_test.port, smoke_test.at)
        connection = await psycopg.AsyncConnection.connect(
            host=LOOPBACK, port=port, sslmode="disable", autocommit=True, **login
        )

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
