"""Measures the embedded engine: `up`, `health`, and memory of the servers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from arcctl.engines.embedded.location import base
from benchmarks import measure
from benchmarks.row import ARCCTL, Row

EMBEDDED = (ARCCTL, "--engine", "embedded")
RUNS = 3
MEGABYTE = 1 << 20


def rows() -> Iterator[Row]:
    """In a temporary project, which is destroyed afterwards. The servers must be built: `arcctl engine build`."""
    with tempfile.TemporaryDirectory(prefix="arc-bench-") as folder:
        directory, cache = Path(folder, "project"), Path(folder, "cache")
        for path in (Path(folder), directory, cache):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        measure.seconds((*EMBEDDED, "init"), directory)
        try:
            yield from _wheels(directory, ("env", f"ARCCTL_CACHE={cache}", *EMBEDDED))
            yield from _everything(directory)
        finally:
            measure.seconds((*EMBEDDED, "clean", "--yes"), directory)


def _wheels(directory: Path, arcctl: tuple[str, ...]) -> Iterator[Row]:
    """With an empty cache, as on a new machine: only servers from Python wheels are available."""
    first = _cold(directory, arcctl)
    yield Row("embedded, wheels: the first `up`", f"{first:.1f} s", "≤ 60 s", first <= 60)
    cold = sorted(_cold(directory, arcctl) for _ in range(RUNS))[RUNS // 2]
    yield Row("embedded, wheels: `up` from no data to healthy", f"{cold:.1f} s", "≤ 10 s", cold <= 10)
    again = measure.median((*arcctl, "up"), directory)
    yield Row("embedded, wheels: `up`, nothing to do", f"{again:.2f} s", "≤ 1 s", again <= 1)
    measure.seconds((*arcctl, "clean", "--yes"), directory)


def _cold(directory: Path, arcctl: tuple[str, ...]) -> float:
    measure.seconds((*arcctl, "clean", "--yes"), directory)
    return measure.seconds((*arcctl, "up"), directory)


def _everything(directory: Path) -> Iterator[Row]:
    cold = _cold(directory, EMBEDDED)
    yield Row("embedded, all twelve: `up` from no data to healthy", f"{cold:.1f} s", "≤ 60 s", cold <= 60)
    health = measure.median((*EMBEDDED, "health", "all", "--json"), directory)
    yield Row("embedded, all twelve: `health all --json`", f"{health:.2f} s", "≤ 0.5 s", health <= 0.5)
    used = memory(base(directory))
    text = ", ".join(f"{name} {size}" for name, size in sorted(used.items()) if size)
    total = sum(used.values())
    yield Row("embedded, all twelve: memory in MB", f"{total}: {text}", "≤ 4096", 0 < total <= 4096)


def memory(folder: Path) -> dict[str, int]:
    """Megabytes of each process of a project with its files in this folder."""
    return {file.parent.name: _megabytes(int(file.read_text())) for file in (folder / "run").glob("*/pid")}


def _megabytes(pid: int) -> int:
    """Memory that only a process and its children use; 0 if the process has ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(int(p.memory_full_info().uss) for p in family) // MEGABYTE
    except psutil.NoSuchProcess:
        return 0
