"""The limits that the documentation names, and what a client sees beyond each."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import grpc
import httpx
import nats.errors
import nats.js.errors
import psycopg
import pulsar
import pytest
import redis
from nats.js import JetStreamContext
from nats.js.api import StorageType

from tests import otlp
from tests.e2e.clients import nats_client, redis_client, sql
from tests.e2e.driver import Platform, eventually, forget_losses, reason
from tests.e2e.smoke_tests import edited, streams


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


def test_postgres_takes_400_connections(either: Platform) -> None:
    with contextlib.ExitStack() as all_closed, pytest.raises(psycopg.OperationalError, match=r"too many|remaining"):
        _connect(either, 401, all_closed)


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


def test_nats_keeps_64_mb_of_streams_in_memory_and_4_gb_on_disk(either: Platform) -> None:
    async def fill(js: JetStreamContext) -> None:
        await js.add_stream(name="LIMITS", subjects=["arc-e2e-limits"], storage=StorageType.MEMORY)
        try:
            with pytest.raises(nats.js.errors.APIError, match="insufficient resources"):
                await _publish(js, 12)
        finally:
            await js.delete_stream("LIMITS")
        with pytest.raises(nats.js.errors.APIError, match="insufficient storage resources available"):
            await js.add_stream(name="LIMITS", subjects=["arc-e2e-limits"], max_bytes=5 << 30)

    streams(either, fill)


async def _publish(js: JetStreamContext, count: int) -> None:
    for _ in range(count):
        await js.publish("arc-e2e-limits", bytes(8_000_000))


@contextlib.contextmanager
def _hung(platform: Platform, service: str) -> Iterator[None]:
    """A service that answers nobody meanwhile."""
    if platform.shift:
        platform.send_signal(service, signal.SIGSTOP)
    else:
        platform.docker("pause", f"arc_{service}")
    try:
        yield
    finally:
        if platform.shift:
            platform.send_signal(service, signal.SIGCONT)
        else:
            platform.docker("unpause", f"arc_{service}")


def _send(platform: Platform, body: bytes, seconds: float = 10) -> int:
    """The status of the answer; 0 where none came in time."""
    url = f"http://127.0.0.1:{platform.port(4318)}/v1/traces"
    headers = {"Content-Type": "application/x-protobuf"}
    try:
        return httpx.post(url, content=body, headers=headers, timeout=seconds, trust_env=False).status_code
    except httpx.TimeoutException:
        return 0


def _is_taken(platform: Platform, body: bytes) -> bool:
    return _send(platform, body) == 200


def _spans(size: int, count: int) -> list[tuple[str, bytes]]:
    """Requests with one long span each, and their trace ids."""
    ids = [secrets.token_bytes(16) for _ in range(count)]
    return [(i.hex(), otlp.request("agent", [otlp.span(i, i[:8], {"prompt": _text(size)})])) for i in ids]


def _text(size: int) -> str:
    return secrets.token_hex(500) * (size // 1000)


def _is_stored(platform: Platform, trace_id: str) -> bool:
    url = f"http://127.0.0.1:{platform.port(16686)}/api/v3/traces/{trace_id}"
    return httpx.get(url, timeout=60, trust_env=False).status_code == 200


def test_senders_wait_for_a_store_that_does_not_answer_and_nothing_is_lost(either: Platform) -> None:
    """More than 128 MiB come in while it hangs."""
    spans, statuses = _spans(5_000_000, 40), dict[str, int]()
    with _hung(either, "jaeger"), ThreadPoolExecutor(4) as pool:
        sent = pool.map(lambda item: (item[0], _send(either, item[1])), spans)
        statuses |= dict(sent)
    assert {200, 0} <= set(statuses.values()) <= {200, 0, 503}
    for trace_id, body in spans:
        if statuses[trace_id] != 200:
            assert eventually(partial(_is_taken, either, body), 60)
    for trace_id, _ in spans:
        assert eventually(partial(_is_stored, either, trace_id), 60), trace_id
    forget_losses(either, "otel-collector")


def test_a_collector_without_memory_refuses_and_lives(either: Platform) -> None:
    """What waits for the store stays in its memory: a third of these fill it, and all together do not end it."""
    ((_, body),) = _spans(20_000_000, 1)
    before = either.running()
    with ThreadPoolExecutor(50) as pool, _hung(either, "jaeger"):
        sent = [pool.submit(_send, either, body, 60) for _ in range(50)]
        assert eventually(lambda: 503 in {each.result() for each in sent if each.done()}, 60)
    name = "otel-collector" if either.shift else "/arc_otel_collector"
    assert either.running()[name] == before[name]
    told = eventually(lambda: "spans refused" in reason(either.service("otel-collector")), 90)
    forget_losses(either, "otel-collector")
    assert told


def test_what_waited_too_long_for_a_store_is_lost_and_told(either: Platform) -> None:
    config = either.directory / "config" / "otel-collector" / "config.yaml"
    ((_, body),) = _spans(1_000, 1)
    with edited(either, "otel-collector", config, config.read_text().replace("30m", "6s")), _hung(either, "jaeger"):
        assert _send(either, body) == 200
        told = eventually(lambda: "spans of batches" in reason(either.service("otel-collector")), 90)
        found = either.service("otel-collector")
    assert told
    assert found["status"] == "degraded"
    assert re.search(r"spans of batches that jaeger did not take whole: \d+ in the last 15 minutes", reason(found))


def test_prometheus_drops_samples_that_come_ten_minutes_late(either: Platform) -> None:
    name = f"arc_e2e_late_{secrets.token_hex(4)}"
    for age in (0, 300, 1200):
        otlp.send_http(either.port(4318), "metrics", otlp.gauge("agent", name, age, time.time_ns() - age * 10**9))
        time.sleep(2)  # in another batch
    url = f"http://127.0.0.1:{either.port(9090)}/api/v1/query"

    def stored() -> set[str]:
        found = httpx.get(url, params={"query": f"{name}[1h]"}, trust_env=False).json()["data"]["result"]
        return {value for series in found for _, value in series["values"]}

    assert eventually(lambda: stored() == {"0", "300"}, 30), stored()
    told = eventually(lambda: "samples dropped" in reason(either.service("prometheus")), 90)
    forget_losses(either, "otel-collector")
    forget_losses(either, "prometheus")
    assert told


def test_loki_takes_more_than_64_mb_in_a_second_later(either: Platform) -> None:
    ids = [secrets.token_bytes(16) for _ in range(12)]
    line = _text(15_000_000)
    for trace_id in ids:
        otlp.send_http(either.port(4318), "logs", otlp.request("agent", [otlp.log_record(trace_id, line, {})]))
    for trace_id in ids:
        assert eventually(partial(_has_lines, either, trace_id.hex()), 60), trace_id


def _has_lines(platform: Platform, trace_id: str) -> bool:
    url = f"http://127.0.0.1:{platform.port(3100)}/loki/api/v1/query_range"
    query = f'{{service_name="agent"}} | trace_id="{trace_id}"'
    answer = httpx.get(url, params={"query": query}, timeout=60, trust_env=False)
    return bool(answer.raise_for_status().json()["data"]["result"])


HOUR_NS = 3600 * 10**9


def _lines(platform: Platform, service: str) -> dict[str, tuple[int, str]]:
    """The hour of each line of a program, relative to now, and the time that its sender gave it."""
    url, now = f"http://127.0.0.1:{platform.port(3100)}/loki/api/v1/query_range", time.time_ns()
    span = {"start": str(now - 9 * 24 * HOUR_NS), "end": str(now + 3 * 24 * HOUR_NS)}
    answer = httpx.get(url, params={"query": f'{{service_name="{service}"}}', **span}, timeout=60, trust_env=False)
    return {
        line: (round((int(at) - now) / HOUR_NS), stream["stream"].get("sender_time", ""))
        for stream in answer.raise_for_status().json()["data"]["result"]
        for at, line in stream["values"]
    }


def test_loki_keeps_lines_of_a_week_in_any_order_and_lines_ahead_of_its_clock(either: Platform) -> None:
    service, ages = f"late-{secrets.token_hex(4)}", {"now": 0, "two hours": 2, "six days": 144, "again": 0, "a day": 24}
    for line, age in {**ages, "an hour ahead": -1, "two days ahead": -48, "at last": 3}.items():
        record = otlp.log_record(bytes(range(16)), line, {}, time.time_ns() - age * HOUR_NS)
        otlp.send_http(either.port(4318), "logs", otlp.request(service, [record]))
        time.sleep(1)  # in another batch
    assert eventually(lambda: len(_lines(either, service)) == 8, 30), _lines(either, service)
    either.arcctl("restart", "loki").ok()
    kept = _lines(either, service)
    assert {line: hour for line, (hour, _) in kept.items() if hour} == {
        line: -age for line, age in {**ages, "at last": 3}.items() if age
    }
    assert (kept["an hour ahead"][0], kept["two days ahead"][0]) == (0, 0)
    assert all(kept[line][1] for line in ("an hour ahead", "two days ahead"))
    assert not kept["now"][1]
    assert either.health("loki", "otel-collector")["status"] == "healthy"


def test_the_gateway_waits_a_minute_for_a_request(local: Platform) -> None:
    with socket.create_connection(("127.0.0.1", local.port(80)), timeout=90) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: swiss-army.localhost\r\nContent-Length: 10\r\n\r\n")
        began = time.monotonic()
        while slow.recv(4096):
            pass
    assert 50 < time.monotonic() - began < 80
