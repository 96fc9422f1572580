"""The limits that the documentation names, and what a client sees beyond each."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

import grpc
import httpx
import nats.errors
import psycopg
import pulsar
import pytest
import redis

from tests import otlp
from tests.e2e.clients import nats_client, redis_client, sql
from tests.e2e.driver import Platform


def _nats(platform: Platform, size: int) -> None:
    async def publish() -> None:
        async with nats_client(platform) as client:
            await client.publish("arc-e2e-limits", bytes(size))
            await client.flush()

    asyncio.run(publish())


def test_nats_takes_messages_of_8_mb(either: Platform) -> None:
    _nats(either, 8_000_000)
    with pytest.raises(nats.errors.MaxPayloadError):
        _nats(either, 9_000_000)


def test_pulsar_takes_messages_of_5_mb(either: Platform) -> None:
    topic = f"persistent://public/default/arc-e2e-limits-{secrets.token_hex(4)}"
    with contextlib.closing(
        pulsar.Client(f"pulsar://127.0.0.1:{either.port(6650)}", listener_name="external")
    ) as client:
        whole = client.create_producer(topic)
        whole.send(bytes(5_000_000))
        with pytest.raises(pulsar.MessageTooBig):
            whole.send(bytes(6_000_000))


def test_redis_refuses_to_write_when_it_is_full_and_keeps_what_it_has(either: Platform) -> None:
    store = redis_client(either)
    store.set("arc-e2e-kept", "kept")
    try:
        with pytest.raises(redis.exceptions.OutOfMemoryError, match="command not allowed"):
            _fill(store)
        assert store.get("arc-e2e-kept") == "kept"
    finally:
        store.delete("arc-e2e-kept", *store.keys("arc-e2e-*"))


def _fill(store: Any) -> None:
    for number in range(300):
        store.set(f"arc-e2e-{number}", "x" * 1_000_000)


def test_postgres_takes_200_connections(either: Platform) -> None:
    with contextlib.ExitStack() as all_closed, pytest.raises(psycopg.OperationalError, match=r"too many|remaining"):
        _connect(either, 201, all_closed)


def _connect(platform: Platform, count: int, all_closed: contextlib.ExitStack) -> None:
    for _ in range(count):
        all_closed.enter_context(sql(platform))


def test_the_collector_refuses_a_request_of_more_than_64_mib(either: Platform) -> None:
    body = otlp.request("agent", [otlp.log_record(secrets.token_bytes(16), "x" * 70_000_000, {})])
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        otlp.send_http(either.port(4318), "logs", body)
    with pytest.raises(grpc.RpcError) as refused:
        otlp.send_grpc(either.port(4317), "logs", body)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert either.health("otel-collector")["status"] == "healthy"
