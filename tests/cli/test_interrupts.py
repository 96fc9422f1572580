"""Ctrl-C is an interrupt, whatever else fails of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from arcctl.cli import interrupts
from arcctl.errors import EngineError


@pytest.fixture(autouse=True)
def as_in_the_foreground() -> Iterator[None]:
    """A shell that starts these tests in the background lets them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


async def _failing(*, interrupted: bool) -> None:
    if interrupted:
        signal.raise_signal(signal.SIGINT)
    raise EngineError("docker ended without a word", hint="arcctl doctor")


def test_a_program_that_fails_because_it_heard_ctrl_c_too_is_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupts.run(_failing(interrupted=True))


def test_a_failure_without_ctrl_c_stays_one() -> None:
    with pytest.raises(EngineError):
        interrupts.run(_failing(interrupted=False))
