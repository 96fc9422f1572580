"""What `verify` says, and the clients with which tests break things that `health` does not see."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import redis

from tests.e2e.driver import Platform


def verify(platform: Platform, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(platform.arcctl("verify", *words, "--json").out)
    return document


def verdict(platform: Platform, service: str) -> tuple[str, str]:
    (found,) = verify(platform, service)["services"]
    return found["outcome"], found["reason"]


def admin(platform: Platform) -> dict[str, str]:
    return {"Authorization": f"*:*.{platform.secrets()['UNLEASH_ADMIN_TOKEN']}"}


def sql(platform: Platform, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=platform.port(5432),
        user="postgres",
        password=platform.secrets()["POSTGRES_PASSWORD"],
        dbname=database,
        sslmode="disable",
        autocommit=True,
    )


def redis_client(platform: Platform) -> Any:
    return redis.Redis(port=platform.port(6379), password=platform.secrets()["REDIS_PASSWORD"], decode_responses=True)


@contextlib.contextmanager
def statements(platform: Platform, database: str, fault: str, repair: str) -> Iterator[None]:
    with sql(platform, database) as connection:
        connection.execute(fault)
        try:
            yield
        finally:
            connection.execute(repair)


def healthy_but_broken(platform: Platform, service: str, *words: str) -> None:
    """What this file is about: the probe passes and the proof does not."""
    platform.arcctl("health", service, "--wait", "--timeout", "20").ok()
    outcome, reason = verdict(platform, service)
    assert outcome == "broken"
    for word in words:
        assert word in reason
    assert platform.arcctl("verify", service).code == 1
