"""How much a disk has left, and what is said of it."""

from __future__ import annotations

import pytest

from arcctl.model.disk import GIGABYTE, MEGABYTE, Disk, Space, fullest


def _disk(size: int = 100 * GIGABYTE, free: int = 50 * GIGABYTE, **more: object) -> Disk:
    return Disk(path="/data", size=size, free=free, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("disk", "space", "text"),
    [
        (_disk(), Space.ENOUGH, "/data: 50.0 GiB of 100.0 GiB free (50 %)"),
        (_disk(free=10 * GIGABYTE), Space.ENOUGH, "/data: 10.0 GiB of 100.0 GiB free (10 %)"),
        (_disk(free=10 * GIGABYTE - 1), Space.LITTLE, "/data: 10.0 GiB of 100.0 GiB free (9 %)"),
        (_disk(size=4 * GIGABYTE, free=2 * GIGABYTE - 1), Space.LITTLE, "/data: 2.0 GiB of 4.0 GiB free (49 %)"),
        (_disk(free=16 * MEGABYTE), Space.LITTLE, "/data: 16 MiB of 100.0 GiB free (0 %)"),
        (_disk(free=16 * MEGABYTE - 1), Space.NONE, "/data: 16 MiB of 100.0 GiB free (0 %)"),
        (_disk(size=0, free=0), Space.NONE, "/data: 0 MiB of 0 MiB free (0 %)"),
        (_disk(files=1000, files_free=100), Space.ENOUGH, "/data: 50.0 GiB of 100.0 GiB free (50 %)"),
        (_disk(files=1000, files_free=99), Space.LITTLE, "/data: 99 of 1000 inodes free"),
        (_disk(files=1000, files_free=15), Space.NONE, "/data: 15 of 1000 inodes free"),
        (_disk(free=0, files=1000), Space.NONE, "/data: 0 MiB of 100.0 GiB free (0 %)"),
        (_disk(refuses="read-only file system"), Space.NONE, "/data: read-only file system"),
    ],
)
def test_little_is_a_tenth_or_two_gigabytes_and_none_is_less_than_the_next_file(
    disk: Disk, space: Space, text: str
) -> None:
    assert (disk.space, str(disk)) == (space, text)


def test_the_fullest_is_the_one_that_fails_first() -> None:
    read_only, full, little = _disk(refuses="read-only file system"), _disk(free=0), _disk(free=GIGABYTE)
    assert fullest([]) is None
    assert fullest([_disk(), little, read_only]) is read_only
    assert fullest([little, full, _disk()]) is full
