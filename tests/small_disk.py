"""A small disk of its own for one test: memory that is mounted as a file system, so it needs root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOMY = ("size=4g", "nr_inodes=100k", "rw")
PAGE = os.sysconf("SC_PAGE_SIZE")


def _mount(*words: str) -> None:
    subprocess.run(("mount", *words), check=True, capture_output=True)


@dataclass(frozen=True)
class SmallDisk:
    path: Path

    def mount(self) -> None:
        self.path.mkdir(exist_ok=True)
        _mount("-t", "tmpfs", "-o", ",".join(("mode=755", *ROOMY)), "tmpfs", str(self.path))

    def unmount(self) -> None:
        subprocess.run(("umount", "--lazy", self.path), check=True)

    def _become(self, *options: str) -> None:
        _mount("-o", ",".join(("remount", *options)), str(self.path))

    def roomy(self) -> None:
        self._become(*ROOMY)

    def fill(self, left: int = 0) -> None:
        """Leave so many bytes."""
        found = os.statvfs(self.path)
        self._become(f"size={max(PAGE, (found.f_blocks - found.f_bfree) * found.f_frsize + left)}")

    def use_up_inodes(self, left: int = 0) -> None:
        found = os.statvfs(self.path)
        self._become(f"nr_inodes={found.f_files - found.f_ffree + left}")

    def refuse(self) -> None:
        """Read-only from now on."""
        self._become("ro")


STATES: dict[str, tuple[Callable[[SmallDisk], None], str]] = {
    "full": (SmallDisk.fill, "no space left on device"),
    "no inodes": (SmallDisk.use_up_inodes, "no space left on device"),
    "read-only": (SmallDisk.refuse, "read-only file system"),
}
"""What happens to a disk, and what the system then says."""
