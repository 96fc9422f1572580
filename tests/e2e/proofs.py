"""What `verify` says, and the clients with which tests break things that `health` does not see."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis
from nats.js import JetStreamContext

from tests.e2e.belongings import bus
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


@contextlib.contextmanager
def edited(platform: Platform, service: str, file: Path, text: str | None) -> Iterator[None]:
    """A file that a service mounts, with another text in it or taken away; both ends go through `up`."""
    good = file.read_text()
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    try:
        platform.arcctl("up", service).ok()
        yield
    finally:
        file.write_text(good)
        platform.arcctl("up", service).ok()


def streams(platform: Platform, work: Callable[[JetStreamContext], Awaitable[object]]) -> None:
    """Something done to the streams of NATS as the user `arc`."""

    async def run() -> None:
        async with bus(platform) as client:
            await work(client.jetstream())

    asyncio.run(run())


def healthy_but_broken(platform: Platform, service: str, *words: str) -> None:
    """What this file is about: the probe passes and the proof does not."""
    platform.arcctl("health", service, "--wait", "--timeout", "20").ok()
    done = platform.arcctl("verify", service, "--json")
    (found,) = json.loads(done.out)["services"]
    assert (done.code, found["outcome"]) == (1, "broken")
    for word in words:
        assert word in found["reason"]
