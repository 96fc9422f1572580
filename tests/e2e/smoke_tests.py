"""Runs `verify`, and causes faults that `health` does not detect."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from nats.js import JetStreamContext

from tests.e2e.clients import nats_client, superuser
from tests.e2e.driver import Platform


def verify(platform: Platform, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(platform.arcctl("verify", *words, "--json").out)
    return document


def verdict(platform: Platform, service: str) -> tuple[str, str]:
    (found,) = verify(platform, service)["services"]
    return found["outcome"], found["reason"]


@contextlib.contextmanager
def statements(platform: Platform, database: str, fault: str, repair: str) -> Iterator[None]:
    with superuser(platform, database) as connection:
        connection.execute(fault)
        try:
            yield
        finally:
            connection.execute(repair)


@contextlib.contextmanager
def edited(platform: Platform, service: str, file: Path, text: str | None) -> Iterator[None]:
    """Replace or remove a file that a service mounts, and run `up`; restore it afterwards in the same way."""
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
    """Change the streams of NATS as the user `arc`."""

    async def run() -> None:
        async with nats_client(platform) as client:
            await work(client.jetstream())

    asyncio.run(run())


def healthy_but_broken(platform: Platform, service: str, *words: str) -> None:
    """Assert that the probe passes and the smoke test fails."""
    platform.arcctl("health", service, "--wait", "--timeout", "20").ok()
    done = platform.arcctl("verify", service, "--json")
    (found,) = json.loads(done.out)["services"]
    assert (done.code, found["outcome"]) == (1, "failed")
    for word in words:
        assert word in found["reason"]
