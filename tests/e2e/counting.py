"""A program that writes increasing numbers into three stores during a backup, and a check for gaps."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import nats
import psycopg
import redis

from tests.e2e.clients import nats_client, redis_client, sql
from tests.e2e.driver import Platform, eventually

LEDGER = "CREATE TABLE ledger_{0} (n int PRIMARY KEY)"


@contextlib.contextmanager
def writing(platform: Platform) -> Iterator[None]:
    """Write numbers into every store as fast as possible; retry while a store is stopped."""
    over = threading.Event()
    writer = threading.Thread(target=_count, args=(platform, over))
    with sql(platform) as arc:
        arc.execute(LEDGER.format("a"))
        arc.execute(LEDGER.format("b"))
    writer.start()
    try:
        with redis_client(platform) as client:
            eventually(lambda: client.zcard("ledger") > 20)
        yield
    finally:
        over.set()
        writer.join()


def _count(platform: Platform, over: threading.Event) -> None:
    number, steps = 0, (_count_in_postgres, _count_in_redis, _count_in_nats)
    while not over.is_set():
        number += 1
        for step in steps:
            while not over.is_set():
                with contextlib.suppress(psycopg.Error, redis.RedisError, nats.errors.Error, OSError, AssertionError):
                    step(platform, number)
                    break


def _count_in_postgres(platform: Platform, number: int) -> None:
    with sql(platform) as arc, arc.transaction():
        for table in ("a", "b"):
            arc.execute(f"INSERT INTO ledger_{table} VALUES ({number}) ON CONFLICT DO NOTHING")


def _count_in_redis(platform: Platform, number: int) -> None:
    with redis_client(platform) as client:
        client.zadd("ledger", {str(number): number})


def _count_in_nats(platform: Platform, number: int) -> None:
    async def work() -> None:
        async with nats_client(platform) as client:
            stream = client.jetstream(timeout=2)
            await stream.publish("agents.ledger", str(number).encode(), headers={"Nats-Msg-Id": f"ledger-{number}"})

    asyncio.run(asyncio.wait_for(work(), 5))


def ledger(platform: Platform) -> dict[str, int]:
    """The highest number in each store; asserts that none is missing."""
    with sql(platform) as arc:
        a, b = ([n for (n,) in arc.execute(f"SELECT n FROM ledger_{t} ORDER BY n")] for t in ("a", "b"))
    with redis_client(platform) as client:
        c = [int(n) for n in client.zrange("ledger", 0, -1)]
    d = asyncio.run(_ledger_in_nats(platform))
    assert a == b
    for found in (a, c, d):
        assert found == list(range(1, len(found) + 1))
    return {"postgres": len(a), "redis": len(c), "nats": len(d)}


async def _ledger_in_nats(platform: Platform) -> list[int]:
    async with nats_client(platform) as client:
        stream = client.jetstream()
        info = await stream.stream_info("AGENTS", subjects_filter="agents.ledger")
        reader = await stream.subscribe("agents.ledger", ordered_consumer=True)
        found = [await reader.next_msg(timeout=10) for _ in range((info.state.subjects or {}).get("agents.ledger", 0))]
    return sorted(int(message.data) for message in found)
