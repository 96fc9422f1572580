"""Connects what writes a stream to what reads one, and counts what goes through."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

CHUNK = 1 << 20

Use = Callable[[BinaryIO], object]


async def piped(save: Use, load: Use, tell: Callable[[int], None]) -> None:
    """Run both at once; `tell` gets the number of bytes of each chunk. Raises what one of them raises.

    A cancellation ends both: each finds its end of the stream closed.
    """
    (saved, from_save), (loaded, from_load) = _pipe(), _pipe()
    with ThreadPoolExecutor(2) as pool:
        saving, loading = pool.submit(_closing, save, from_save), pool.submit(_closing, load, loaded)
        broken = not await _pumped(saved, from_load, tell)
    for each in (loading, saving) if broken else (saving, loading):  # the one that the other failed of
        each.result()


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    out, into = os.pipe()
    return os.fdopen(out, "rb", buffering=0), os.fdopen(into, "wb", buffering=0)


def _closing(use: Use, stream: BinaryIO) -> None:
    with stream:
        use(stream)


async def _pumped(source: BinaryIO, target: BinaryIO, tell: Callable[[int], None]) -> bool:
    """Whether the target took everything."""
    with source, contextlib.suppress(BrokenPipeError), target:
        while data := await asyncio.to_thread(source.read, CHUNK):
            await asyncio.to_thread(_write, target, data)
            tell(len(data))
        return True
    return False


def _write(target: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[target.write(view) :]
