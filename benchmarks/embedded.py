"""The promises of the embedded engine: from nothing to healthy, from healthy to known so, and what it takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from arcctl.runtime.embedded import base
from benchmarks import measure
from benchmarks.row import ARCCTL, Row

EMBEDDED = (ARCCTL, "--engine", "embedded")
RUNS = 3
MEGABYTE = 1 << 20


def rows() -> Iterator[Row]:
    """Everything in a home of its own, which is destroyed afterwards. Servers must be there: `arcctl engine build`."""
    with tempfile.TemporaryDirectory(prefix="arc-bench-") as folder:
        home, cache = Path(folder, "home"), Path(folder, "cache")
        for path in (Path(folder), home, cache):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        measure.seconds((*EMBEDDED, "init"), home)
        try:
            yield from _wheels(home, ("env", f"ARCCTL_CACHE={cache}", *EMBEDDED))
            yield from _everything(home)
        finally:
            measure.seconds((*EMBEDDED, "clean", "--yes"), home)


def _wheels(home: Path, arcctl: tuple[str, ...]) -> Iterator[Row]:
    """With an empty cache only what comes from wheels is there, as on a fresh machine."""
    first = _cold(home, arcctl)
    yield Row("embedded, wheels: the very first `up`", f"{first:.1f} s", "≤ 60 s", first <= 60)
    cold = sorted(_cold(home, arcctl) for _ in range(RUNS))[RUNS // 2]
    yield Row("embedded, wheels: `up` from no data to healthy", f"{cold:.1f} s", "≤ 10 s", cold <= 10)
    again = measure.median((*arcctl, "up"), home)
    yield Row("embedded, wheels: `up`, nothing to do", f"{again:.2f} s", "≤ 1 s", again <= 1)
    measure.seconds((*arcctl, "clean", "--yes"), home)


def _cold(home: Path, arcctl: tuple[str, ...]) -> float:
    measure.seconds((*arcctl, "clean", "--yes"), home)
    return measure.seconds((*arcctl, "up"), home)


def _everything(home: Path) -> Iterator[Row]:
    cold = _cold(home, EMBEDDED)
    yield Row("embedded, all twelve: `up` from no data to healthy", f"{cold:.1f} s", "≤ 60 s", cold <= 60)
    health = measure.median((*EMBEDDED, "health", "all", "--json"), home)
    yield Row("embedded, all twelve: `health all --json`", f"{health:.2f} s", "≤ 0.5 s", health <= 0.5)
    used = {file.parent.name: _megabytes(int(file.read_text())) for file in (base(home) / "run").glob("*/pid")}
    text = ", ".join(f"{name} {size}" for name, size in sorted(used.items()) if size)
    total = sum(used.values())
    yield Row("embedded, memory in MB", f"{total}: {text}", "≤ 4096", 0 < total <= 4096)


def _megabytes(pid: int) -> int:
    """Memory of a process and its children that no other process shares, 0 where it ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(int(p.memory_full_info().uss) for p in family) // MEGABYTE
    except psutil.NoSuchProcess:
        return 0
