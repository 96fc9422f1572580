"""Shows where the time of a command goes: in starting Python, in loading each library, and in each phase of `up`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import measure
from benchmarks.row import ARCCTL

LIBRARIES = 8
"""How many are named; the others are one row."""
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\w+)")
"""Microseconds without those of what it imports itself, and the package."""


def rows(directory: Path) -> Iterator[tuple[str, float]]:
    """What, and its seconds."""
    yield from _health(directory)
    measure.seconds((ARCCTL, "down"), directory)
    yield from _up("`up --stack`, warm", directory)
    yield from _up("`up --stack`, nothing to do", directory)


def _health(directory: Path) -> Iterator[tuple[str, float]]:
    command = (ARCCTL, "health", "all", "--json")
    whole, python = measure.median(command, directory), measure.median((sys.executable, "-c", "pass"), directory)
    loaded = _imports(command, directory)
    yield "`health all --json`", whole
    yield "— starting Python", python
    largest = loaded.most_common(LIBRARIES)
    for package, microseconds in largest:
        yield f"— loading {package}", microseconds / 1e6
    yield "— loading the other modules", (loaded.total() - sum(own for _, own in largest)) / 1e6
    yield "— work", max(0.0, whole - python - loaded.total() / 1e6)


def _imports(command: tuple[str, ...], directory: Path) -> Counter[str]:
    """Microseconds of each package; measuring makes all of them a little slower."""
    profiled = (sys.executable, "-X", "importtime", *command)
    done = subprocess.run(profiled, cwd=directory, check=True, capture_output=True, text=True)
    found = Counter[str]()
    for microseconds, package in _IMPORT.findall(done.stderr):
        found["the standard library" if package in sys.stdlib_module_names else package] += int(microseconds)
    return found


def _up(what: str, directory: Path) -> Iterator[tuple[str, float]]:
    began = time.perf_counter()
    command = (ARCCTL, "--progress", "json", "up", "--stack")
    ready = dict[str, float]()
    created = 0.0
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as up:
        assert up.stderr
        first = 0.0
        for line in filter(lambda line: line.startswith("{"), up.stderr):
            event, now = json.loads(line), time.perf_counter() - began
            first = first or now
            if event["kind"] == "working":
                created = now
            if event["kind"] == "ready":
                ready[event["subject"]] = now
    whole = time.perf_counter() - began
    slowest = max(ready, key=lambda key: ready[key])
    yield what, whole
    yield "— until the first word", first
    yield "— until all containers were created", max(created, first)
    yield f"— until the last one was ready ({slowest})", ready[slowest]
    yield "— after that: accounts, databases, tokens", whole - ready[slowest]
