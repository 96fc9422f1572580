"""Clients of the real servers, logged in with the secrets of the platform."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import redis
from nats.aio.client import Client

from tests.e2e.driver import Platform

OLDER = """\
UPDATE pg_extension SET extversion = (
  SELECT source FROM pg_extension_update_paths('vector') JOIN pg_available_extensions ON name = 'vector'
   WHERE target = default_version AND path = source || '--' || target LIMIT 1) WHERE extname = 'vector'
"""
"""A database has an older pgvector than its server."""


def sql(platform: Platform, user: str = "arc", secret: str = "POSTGRES_APP_PASSWORD", database: str = "arc") -> Any:
    return psycopg.connect(
        host="127.0.0.1",
        port=platform.port(5432),
        user=user,
        dbname=database,
        password=platform.secrets()[secret],
        sslmode="disable",
        autocommit=True,
    )


def superuser(platform: Platform, database: str = "postgres") -> Any:
    return sql(platform, "postgres", "POSTGRES_PASSWORD", database)


def redis_client(platform: Platform) -> Any:
    return redis.Redis(port=platform.port(6379), password=platform.secrets()["REDIS_PASSWORD"], decode_responses=True)


@contextlib.asynccontextmanager
async def nats_client(platform: Platform) -> AsyncIterator[Client]:
    """Closed at the end, also after a failed connection: the client keeps the sockets that it opened."""
    client, password = Client(), platform.secrets()["NATS_PASSWORD"]
    try:
        url = f"nats://127.0.0.1:{platform.port(4222)}"
        await client.connect(url, user="arc", password=password, allow_reconnect=False)
        yield client
    finally:
        await client.close()


def unleash_admin(platform: Platform) -> dict[str, str]:
    """The header with the token of the administrator."""
    return {"Authorization": f"*:*.{platform.secrets()['UNLEASH_ADMIN_TOKEN']}"}
