"""A stream from one program to another: whole, counted, and with the reason of the one that failed first."""

from __future__ import annotations

import asyncio
import subprocess
from typing import BinaryIO

import pytest

from arcctl.backup.clients.pipe import piped
from arcctl.errors import BackupError

SIZE = 3_000_000


def _save(stream: BinaryIO) -> None:
    subprocess.run(("head", "-c", str(SIZE), "/dev/zero"), stdout=stream, check=False)


def _load(stream: BinaryIO) -> None:
    done = subprocess.run(("wc", "-c"), stdin=stream, capture_output=True, check=True)
    assert int(done.stdout) == SIZE


def _fail(stream: BinaryIO) -> None:
    stream.fileno()
    raise BackupError("the disk is full")


def _endless(stream: BinaryIO) -> None:
    if subprocess.run(("cat", "/dev/zero"), stdout=stream, check=False).returncode:
        raise BackupError("the pipe is broken")


def test_everything_goes_through_and_is_counted() -> None:
    counted: list[int] = []
    asyncio.run(piped(_save, _load, counted.append))
    assert sum(counted) == SIZE


@pytest.mark.parametrize("save", [_save, _endless])
def test_one_that_takes_nothing_is_the_reason(save: object) -> None:
    with pytest.raises(BackupError, match="the disk is full"):
        asyncio.run(piped(save, _fail, lambda count: None))  # type: ignore[arg-type]


def test_one_that_gives_nothing_is_the_reason() -> None:
    with pytest.raises(BackupError, match="the disk is full"):
        asyncio.run(piped(_fail, lambda stream: stream.read(), lambda count: None))


def test_a_cancellation_ends_both() -> None:
    async def cancelled() -> None:
        async with asyncio.timeout(0.3):
            await piped(
                _endless, lambda stream: [None for _ in iter(lambda: stream.read(1 << 20), b"")], lambda n: None
            )

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
