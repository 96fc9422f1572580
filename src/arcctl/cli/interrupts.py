"""Ctrl-C while a use-case is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from arcctl.errors import ArcError

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Raises KeyboardInterrupt at Ctrl-C, also where a program that was called heard it first and failed of it."""
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    try:
        return await work
    except ArcError:
        if task and task.cancelling():
            raise asyncio.CancelledError from None
        raise
