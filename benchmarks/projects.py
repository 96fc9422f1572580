"""Measures projects beside each other: the last of eight against the first, and settings in one call against many."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from arcctl.engines.embedded.location import base
from benchmarks import measure
from benchmarks.embedded import EMBEDDED, memory
from benchmarks.row import Row, ratio

NUMBER = 8
LIGHT = ("postgres", "redis", "nats", "traefik")
SETTINGS = 22


def rows() -> Iterator[Row]:
    """In temporary projects on the embedded engine, which are destroyed afterwards; nobody else's are known to them."""
    folder = Path(tempfile.mkdtemp(prefix="arc-bench-"))
    folder.chmod(0o755)
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "data")}
    directories = [folder / f"project-{number}" for number in range(1, NUMBER + 1)]
    try:
        yield from _beside(directories, environment)
        yield from _settings(directories[0], environment)
    finally:
        for directory in filter(Path.is_dir, directories):
            measure.seconds((*EMBEDDED, "clean", "--yes"), directory, environment)
        shutil.rmtree(folder)


def _beside(directories: list[Path], environment: Mapping[str, str]) -> Iterator[Row]:
    created, started = list[float](), list[float]()
    for directory in directories:
        directory.mkdir(mode=0o755)
        created.append(measure.seconds((*EMBEDDED, "init"), directory, environment))
        started.append(measure.seconds((*EMBEDDED, "up", *LIGHT), directory, environment))
    yield ratio("`init` of the second project / of the first", created[1], created[0], 1.5)
    yield ratio(f"`up` of project {NUMBER} with {', '.join(LIGHT)} / of the first", started[-1], started[0], 1.5)
    total = sum(size for directory in directories for size in memory(base(directory)).values())
    yield Row(f"memory of all {NUMBER} in MB", str(total), "≤ 2048", 0 < total <= 2048)


def _settings(directory: Path, environment: Mapping[str, str]) -> Iterator[Row]:
    ports = list(islice(_ports(directory, environment), SETTINGS))
    at_once = measure.seconds((*EMBEDDED, "config", "set", *ports), directory, environment)
    each = sum(measure.seconds((*EMBEDDED, "config", "set", port), directory, environment) for port in ports)
    yield ratio(f"`config set` of {SETTINGS} settings in one call / in {SETTINGS}", at_once, each, 0.2)


def _ports(directory: Path, environment: Mapping[str, str]) -> Iterator[str]:
    shown = subprocess.run(
        (*EMBEDDED, "config", "show", "--json"), cwd=directory, env=environment, check=True, capture_output=True
    )
    for setting in json.loads(shown.stdout)["settings"]:
        if setting["name"].endswith("_PORT"):
            yield f"{setting['name']}={int(setting['value']) + 1000}"
