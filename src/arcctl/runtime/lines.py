"""Lines of standard input as they come, while everything else goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Thread

STDIN = 0
AHEAD = 100
"""Lines that are read before they are asked for."""


async def of_input() -> AsyncIterator[bytes]:
    """Without the ends of lines. A thread of its own reads, because nothing else lets Ctrl-C through at once."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[bytes | None](AHEAD)

    def read() -> None:
        with open(STDIN, "rb", closefd=False) as stream:
            for line in stream:
                asyncio.run_coroutine_threadsafe(queue.put(line.rstrip(b"\r\n")), loop).result()
        asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()

    Thread(target=read, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
