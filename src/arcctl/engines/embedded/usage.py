"""What processes and folders use: memory, CPU time, bytes on disk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from arcctl.engines import machine
from arcctl.engines.base import Usage

if TYPE_CHECKING:
    import psutil

SAMPLE_SECONDS = 0.3
"""How long CPU time is measured."""
BLOCK = 512


def of_processes(pids: Mapping[str, int]) -> dict[str, Usage]:
    """What processes use together with their children, by key; without those that have ended."""
    families = {key: found for key, pid in pids.items() if (found := family(pid))}
    for each in families.values():
        _cpu(each)  # starts the measurement
    time.sleep(SAMPLE_SECONDS)
    return {key: Usage(memory=memory(found), cpu=round(_cpu(found), 1)) for key, found in families.items()}


def family(pid: int) -> list[psutil.Process]:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _cpu(family: Iterable[psutil.Process]) -> float:
    """Percent of one core since the last call for the same objects."""
    import psutil

    total = 0.0
    for process in family:
        with contextlib.suppress(psutil.Error):
            total += process.cpu_percent()
    return total


def memory(family: Iterable[psutil.Process]) -> int:
    """Bytes of all these processes."""
    return sum(map(machine.memory_of, family))


def of_folders(folders: Iterable[Path]) -> int:
    """Bytes on disk in these folders, as far as they can be read."""
    return sum(_blocks(path) for folder in folders for path in folder.rglob("*"))


def _blocks(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.lstat().st_blocks * BLOCK
    return 0
