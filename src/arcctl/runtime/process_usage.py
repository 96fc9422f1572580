"""What local processes take: each with all that it started, and the folders of its data."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from arcctl.core.usage import Usage

if TYPE_CHECKING:
    import psutil

SECONDS = 0.3
"""How long it is watched what they do."""
BLOCK = 512


def usage(pids: Mapping[str, int]) -> dict[str, Usage]:
    """By key; a process that has ended meanwhile is left out."""
    families = {key: found for key, pid in pids.items() if (found := _family(pid))}
    before, began = {key: _seconds(found) for key, found in families.items()}, time.monotonic()
    time.sleep(SECONDS)
    passed = time.monotonic() - began
    return {
        key: Usage(memory=_memory(found), cpu=max(0.0, round(100 * (_seconds(found) - before[key]) / passed, 1)))
        for key, found in families.items()
    }


def _family(pid: int) -> list[psutil.Process]:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _seconds(family: Iterable[psutil.Process]) -> float:
    import psutil

    total = 0.0
    for process in family:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _memory(family: Iterable[psutil.Process]) -> int:
    """What they share is counted once: a page that two of them use is half of each one's."""
    import psutil

    total = 0
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                full = process.memory_full_info()
                total += int(getattr(full, "pss", full.uss))
            except psutil.AccessDenied:
                total += int(process.memory_info().rss)
    return total


def disk(folders: Iterable[Path]) -> int:
    """Bytes on disk in these folders, as far as they can be read."""
    return sum(_blocks(path) for folder in folders for path in folder.rglob("*"))


def _blocks(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.lstat().st_blocks * BLOCK
    return 0
