"""Smoke tests over the Redis protocol."""

from __future__ import annotations

from typing import Any

from arcctl.checks.clients.steps import Run, cleaned, expect
from arcctl.model.smoke_test import Commands


async def run_commands(smoke_test: Commands, run: Run) -> None:
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    # The client would try a refused password four times.
    client: Any = redis.asyncio.Redis(
        host=run.host,
        port=run.port(smoke_test.port),
        password=smoke_test.password,
        decode_responses=True,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
    )

    async def clean() -> None:
        for words in smoke_test.cleanup:
            await client.execute_command(*run.filled(words))

    async with client, cleaned(clean):
        for command in smoke_test.steps:
            async with run.step(command.name):
                expect(_flat(await client.execute_command(*run.filled(command.words))), run.filled(command.expect))


def _flat(answer: Any) -> str:
    """An answer of the Redis protocol as one text."""
    match answer:
        case dict():
            return ",".join(f"{key},{_flat(value)}" for key, value in answer.items())
        case list() | tuple():
            return ",".join(_flat(item) for item in answer)
        case _:
            return str(answer)
