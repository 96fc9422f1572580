"""Measures the time and the memory of programs."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

Command = Sequence[str]


def seconds(command: Command, cwd: Path, environment: Mapping[str, str] | None = None) -> float:
    """Wall-clock time of one run, without its output. Raises if the program fails."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def median(command: Command, cwd: Path, runs: int = 7) -> float:
    """The median of several runs, after one run that is not counted."""
    seconds(command, cwd)
    return statistics.median(seconds(command, cwd) for _ in range(runs))


def side_by_side(ours: Command, theirs: Command, cwd: Path, runs: int = 7) -> tuple[float, float]:
    """Medians of two programs that run alternately, so that both run under the same load."""
    pairs = [(seconds(ours, cwd), seconds(theirs, cwd)) for _ in range(runs + 1)][1:]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def peak_megabytes(command: Command, cwd: Path) -> float:
    """Peak resident memory of one run."""
    child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return usage.ru_maxrss / 1024
