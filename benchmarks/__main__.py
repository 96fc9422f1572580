"""`python -m benchmarks`: measures speed and memory and compares them with the targets. Keeps all data."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from arcctl import services
from arcctl.model.names import PROJECT
from arcctl.model.service import Layer, Role, container_name
from benchmarks import breakdown, embedded, measure, projects, pulls
from benchmarks.row import ARCCTL, COMPOSE, Row, ratio

HELLO = (sys.executable, str(Path(__file__).with_name("hello.py")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project-directory", type=Path, default=Path.cwd())
    parser.add_argument("--idle", type=float, default=300, help="seconds before memory is read")
    parser.add_argument("--engine", choices=("docker", "embedded"), default="docker")
    parser.add_argument("--pulls", action="store_true", help="the first pull only; needs root and the testbed")
    parser.add_argument("--projects", action="store_true", help="eight embedded projects beside each other only")
    chosen = parser.parse_args()
    if chosen.projects:
        chosen.engine = "embedded"
    if chosen.engine == "docker" and not shutil.which("docker"):
        parser.error("these benchmarks need a Docker engine; --engine embedded needs none")
    print("| what | measured | target | |\n|---|---|---|---|")
    for row in _chosen(chosen):
        print(f"| {row.what} | {row.measured} | {row.target} | {'met' if row.met else '**missed**'} |", flush=True)
    if chosen.engine == "docker" and not chosen.pulls:
        print("\n| where the time goes | |\n|---|---|")
        for what, seconds in breakdown.rows(chosen.project_directory):
            print(f"| {what} | {seconds:.2f} s |", flush=True)


def _chosen(chosen: argparse.Namespace) -> Iterator[Row]:
    if chosen.projects:
        return projects.rows()
    if chosen.engine == "embedded":
        return embedded.rows()
    if chosen.pulls:
        return pulls.rows()
    found = rows(chosen.project_directory, chosen.idle)
    if pulls.possible():
        return chain(found, pulls.rows())
    print("not measured: the first pull, which needs root and the registry that `make test` builds", file=sys.stderr)
    return found


def rows(directory: Path, idle: float) -> Iterator[Row]:
    yield from _start_up(directory)
    yield from _up(directory)
    yield from _health(directory)
    time.sleep(idle)
    yield from _memory()


def _start_up(directory: Path) -> Iterator[Row]:
    for option in ("--help", "--version"):
        ours, theirs = measure.side_by_side((ARCCTL, option), (*HELLO, "--help"), directory, runs=15)
        yield ratio(f"`{option}` / hello-world `--help`", ours, theirs, 1.2)
    info = measure.median((ARCCTL, "info"), directory)
    yield Row("`info`", f"{info:.2f} s", "≤ 0.5 s", info <= 0.5)


def _up(directory: Path) -> Iterator[Row]:
    """Both start without containers; images and data exist."""
    up, wait = (ARCCTL, "up", "--stack"), (*COMPOSE, "up", "-d", "--wait", *_long_running())
    ours, theirs = list[float](), list[float]()
    for _ in range(3):
        for command, found in ((up, ours), (wait, theirs)):
            measure.seconds((ARCCTL, "down"), directory)
            found.append(measure.seconds(command, directory))
    yield ratio("`up --stack`, warm / `docker compose up -d --wait`", sorted(ours)[1], sorted(theirs)[1], 1.0)
    measure.seconds(up, directory)
    noop = measure.side_by_side(up, wait, directory, runs=5)
    yield ratio("`up --stack`, nothing to do / the same", *noop, 0.7)


def _long_running() -> list[str]:
    """All but init containers: `--wait` fails on a container that has exited with 0."""
    return [key for key, component in services.load().components().items() if component.role is not Role.INIT]


def _health(directory: Path) -> Iterator[Row]:
    ours = measure.median((ARCCTL, "health", "all", "--json"), directory)
    yield Row("`health all --json`, 14 services", f"{ours:.2f} s", "≤ 0.45 s", ours <= 0.45)
    theirs = sum(measure.median(command, directory, runs=3) for command in _checks())
    yield ratio("`health all --json` / the same checks by `docker exec`", ours, theirs, 0.4)
    peak = measure.peak_megabytes((ARCCTL, "health", "all", "--json"), directory)
    yield Row("`health all`, peak memory", f"{peak:.0f} MB", "≤ 100 MB", peak <= 100)


def _checks() -> Iterator[tuple[str, ...]]:
    """The health check of each service as a `docker exec`; the image of the collector has none."""
    for service in services.load().services.values():
        if service.checks.healthcheck:
            kind, *words = service.checks.healthcheck.test
            shell = ("sh", "-c") if kind == "CMD-SHELL" else ()
            command = (word.replace("$$", "$") for word in words)
            yield ("docker", "exec", container_name(PROJECT, service.id), *shell, *command)


def _memory() -> Iterator[Row]:
    format_ = "{{.Name}}\t{{.MemUsage}}"
    text = subprocess.run(
        ("docker", "stats", "--no-stream", "--format", format_), capture_output=True, text=True
    ).stdout
    used = {line.split("\t")[0]: _mebibytes(line.split("\t")[1].split("/")[0]) for line in text.splitlines()}
    catalogue = services.load()
    for title, layers, limit in (("observability layer", [Layer.OBSERVABILITY], 1024), ("all", list(Layer), 4096)):
        keys = catalogue.components(tuple(i for layer in layers for i in catalogue.layer(layer)))
        total = sum(used.get(container_name(PROJECT, key), 0) for key in keys)
        yield Row(f"memory, {title}, idle", f"{total:.0f} MiB", f"≤ {limit} MiB", 0 < total <= limit)


def _mebibytes(text: str) -> float:
    number, unit = text.strip().rstrip("iB")[:-1], text.strip().rstrip("iB")[-1]
    return float(number) * {"K": 1 / 1024, "M": 1, "G": 1024}.get(unit, 0)


if __name__ == "__main__":
    main()
