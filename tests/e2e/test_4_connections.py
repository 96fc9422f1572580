"""What a server has only so much of, and what a newer image leaves behind: health says so, and what repairs it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis

from tests.e2e.clients import OLDER, redis_client, sql, superuser
from tests.e2e.driver import Platform, eventually, reason

HELD = "crawler"


def _checks(service: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: f"{check['status']} {check['message']}" for check in service["checks"]}


@contextlib.contextmanager
def _holding(platform: Platform, most: int) -> Iterator[int]:
    """Connections of the role of programs, as many as the server gives."""
    with contextlib.ExitStack() as stack:
        held = 0
        with contextlib.suppress(psycopg.OperationalError):
            while held < most:
                connection = stack.enter_context(sql(platform))
                connection.execute(f"SET application_name TO {HELD}")
                held += 1
        yield held


def test_connections_of_postgres_that_run_out_are_told_with_who_holds_them(either: Platform) -> None:
    with _holding(either, 330):
        tight = either.service("postgres")
        assert tight["status"] == "degraded"
        assert f"arc ({HELD}) 330" in reason(tight)
    with _holding(either, 1000) as held:
        full = either.service("postgres")
        assert full["status"] == "unhealthy"
        assert "arc cannot log in: " in reason(full)
        assert f"arc ({HELD}) {held}" in reason(full)
    assert eventually(lambda: either.service("postgres")["status"] == "healthy")


def test_connections_of_redis_that_run_out_are_told(either: Platform) -> None:
    with redis_client(either) as admin, contextlib.ExitStack() as stack:
        before, used = admin.config_get("maxclients")["maxclients"], admin.info("clients")["connected_clients"]
        admin.config_set("maxclients", used + 4)
        for _ in range(3):
            stack.enter_context(redis_client(either)).ping()
        try:
            assert "connections: " in reason(either.service("redis"))
            with contextlib.suppress(redis.ConnectionError):
                for _ in range(8):
                    stack.enter_context(redis_client(either)).ping()
            full = either.service("redis")
        finally:
            admin.config_set("maxclients", before)
    assert (full["status"], "max number of clients reached" in reason(full)) == ("unhealthy", True)
    assert eventually(lambda: either.service("redis")["status"] == "healthy")


@pytest.mark.parametrize(
    ("service", "figures"),
    [
        ("postgres", ["connections"]),
        ("redis", ["connections", "memory"]),
        ("nats", ["connections", "memory", "storage"]),
    ],
)
def test_what_is_used_of_each_limit_is_a_check(either: Platform, service: str, figures: list[str]) -> None:
    checks = _checks(either.service(service))
    assert [checks[name].split(" used ")[0].split(":")[0] for name in figures] == [f"pass {f}" for f in figures]


SORTED = "CREATE DATABASE sorted TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"


def test_what_a_newer_image_leaves_behind_degrades_postgres_until_it_is_refreshed(either: Platform) -> None:
    with superuser(either) as admin:
        admin.execute(SORTED)
        admin.execute("UPDATE pg_database SET datcollversion = '0' WHERE datname = 'sorted'")
    try:
        with superuser(either, "arc") as arc:
            arc.execute(OLDER)
        found = either.service("postgres")
        checks = _checks(found)
        assert found["status"] == "degraded"
        assert "than it did for sorted:" in checks["collation"]
        assert "warn vector is 0." in checks["extensions"]
        told = {d["id"]: d["fix"] for d in json.loads(either.arcctl("doctor", "--json").out)["diagnoses"]}
        assert told["postgres-collation"] == told["postgres-extensions"] == "arcctl db refresh"
        done = either.arcctl("db", "refresh").ok().err
        assert "sorted: indexes rebuilt" in done
        assert "arc: vector updated" in done
        assert either.service("postgres")["status"] == "healthy"
        assert "every database is up to date" in either.arcctl("db", "refresh").ok().err
    finally:
        with superuser(either) as admin:
            admin.execute("DROP DATABASE sorted WITH (FORCE)")
