"""Reads standard input line by line without blocking the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Thread

STDIN = 0
AHEAD = 100
"""Lines that are read ahead."""


async def of_input() -> AsyncIterator[bytes]:
    """Lines without their line ends. A thread reads, so that Ctrl-C works at once."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[bytes | None](AHEAD)

    def read() -> None:
        with open(STDIN, "rb", closefd=False) as stream:
            for line in stream:
                asyncio.run_coroutine_threadsafe(queue.put(line.rstrip(b"\r\n")), loop).result()
        asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()

    Thread(target=read, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
