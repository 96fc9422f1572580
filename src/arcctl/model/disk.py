"""A file system that holds data, and whether the next write to it can succeed. Pure: `engines.disks` reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MEGABYTE, GIGABYTE = 1 << 20, 1 << 30
SPARE_BYTES, SPARE_PERCENT = 2 * GIGABYTE, 10
"""Less than either is little: servers merge, compact and check-point into new files before they delete old ones."""
LEAST_BYTES, LEAST_FILES = 16 * MEGABYTE, 16
"""With less than either writes fail: 16 MB is the next segment of Postgres' write-ahead log."""


class Space(StrEnum):
    """What a disk has left, the worst first."""

    NONE = "none"
    """Writes fail."""
    LITTLE = "little"
    ENOUGH = "enough"


@dataclass(frozen=True, kw_only=True)
class Disk:
    """As a program sees it that is not root."""

    path: str
    size: int
    """Bytes, without those that only root may use."""
    free: int
    files: int = 0
    """The inodes that it has; 0 where it makes them as they are needed."""
    files_free: int = 0
    refuses: str = ""
    """Why nothing can be written to it, however much is free: `read-only file system`."""

    @property
    def space(self) -> Space:
        return min(self._bytes, self._inodes, Space.NONE if self.refuses else Space.ENOUGH, key=list(Space).index)

    @property
    def _bytes(self) -> Space:
        if self.free < LEAST_BYTES:
            return Space.NONE
        return Space.LITTLE if self.free < SPARE_BYTES or self.percent < SPARE_PERCENT else Space.ENOUGH

    @property
    def _inodes(self) -> Space:
        if not self.files:
            return Space.ENOUGH
        if self.files_free < LEAST_FILES:
            return Space.NONE
        return Space.LITTLE if self.files_free * 100 < self.files * SPARE_PERCENT else Space.ENOUGH

    @property
    def percent(self) -> int:
        """How much of it is free."""
        return self.free * 100 // max(self.size, 1)

    def __str__(self) -> str:
        """What is left of what is scarce."""
        if self.refuses:
            return f"{self.path}: {self.refuses}"
        if self._inodes is not Space.ENOUGH and self._bytes is not Space.NONE:
            return f"{self.path}: {self.files_free} of {self.files} inodes free"
        return f"{self.path}: {_size(self.free)} of {_size(self.size)} free ({self.percent} %)"


def _size(number: int) -> str:
    return f"{number / GIGABYTE:.1f} GiB" if number >= GIGABYTE else f"{number / MEGABYTE:.0f} MiB"


def fullest(disks: Iterable[Disk]) -> Disk | None:
    """The one with the least space."""
    return min(disks, key=lambda disk: (list(Space).index(disk.space), disk.free), default=None)
