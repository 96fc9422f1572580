"""A cancelled run ends as cancelled, whatever a client makes of it."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.checks.clients.steps import Run, StepFailed, cleaned


async def _client(started: asyncio.Event) -> None:
    """Turns the cancellation into an error of its own, as some clients do."""
    try:
        started.set()
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        raise ConnectionError("closed") from None


async def _step(started: asyncio.Event) -> None:
    async with Run("store", {}).step("ask"):
        await _client(started)


async def _clean(started: asyncio.Event) -> None:
    async with cleaned(lambda: _client(started)):
        raise AssertionError("it goes on")


@pytest.mark.parametrize("work", [_step, _clean])
def test_a_cancelled_step_is_cancelled_and_not_failed(work: object) -> None:
    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(work(started))  # type: ignore[operator]
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_step_that_takes_too_long_is_a_time_out() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await _step(asyncio.Event())

    asyncio.run(main())


def test_a_step_that_fails_is_noted_with_its_reason() -> None:
    async def main() -> Run:
        run = Run("store", {})
        with pytest.raises(StepFailed):
            async with run.step("ask"):
                raise ConnectionError("closed")
        return run

    (step,) = asyncio.run(main()).steps
    assert (step.ok, step.message) == (False, "closed")
