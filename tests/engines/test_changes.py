"""An event that says: look again."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractAsyncContextManager

import pytest

from arcctl.engines.changes import at_each_line, every

TWICE = "import time; print(1, flush=True); time.sleep(0.2); print(2, flush=True); time.sleep(60)"


async def _times(changes: AbstractAsyncContextManager[asyncio.Event], count: int, seconds: float) -> int:
    """How often it is set in that time; no more than `count`."""
    seen = 0
    async with changes as changed:
        while seen < count:
            try:
                await asyncio.wait_for(changed.wait(), seconds)
            except TimeoutError:
                break
            changed.clear()
            seen += 1
    return seen


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (every(0.01), 2),
        (at_each_line(sys.executable, "-c", TWICE), 2),
        (at_each_line(sys.executable, "-c", "pass"), 0),
        (at_each_line("no-such-program"), 0),
    ],
    ids=["again and again", "at each line", "of a program that ends", "of one that does not exist"],
)
def test_an_event_is_set_when_something_may_have_changed(
    changes: AbstractAsyncContextManager[asyncio.Event], expected: int
) -> None:
    assert asyncio.run(_times(changes, 2, seconds=1.5)) == expected
