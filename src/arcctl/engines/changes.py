"""Tells that something of a project may have changed, so that nobody has to look again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


@contextlib.asynccontextmanager
async def every(seconds: float) -> AsyncIterator[asyncio.Event]:
    """An event that is set again and again, for an engine that says nothing by itself."""

    async def tick(changed: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(seconds)
            changed.set()

    changed = asyncio.Event()
    async with _meanwhile(tick(changed)):
        yield changed


@contextlib.asynccontextmanager
async def at_each_line(*command: str) -> AsyncIterator[asyncio.Event]:
    """An event that is set at each line that a program prints; never where it cannot be started."""

    async def read(changed: asyncio.Event) -> None:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            process_group=0,  # so that Ctrl-C reaches arcctl only
        )
        try:
            assert process.stdout
            async for _ in process.stdout:
                changed.set()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()  # to the end of its output, or the pipe would stay open

    changed = asyncio.Event()
    async with _meanwhile(read(changed)):
        yield changed


@contextlib.asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
