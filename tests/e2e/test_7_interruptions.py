"""Ctrl-C and kill -9 at any moment: the same command, run again, ends in the same state."""

from __future__ import annotations

import hashlib
import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl import services
from tests.e2e.driver import Platform, container
from tests.e2e.interrupts import COMMANDS, rounds

CATALOGUE = services.load()
WHEELS = ("postgres", "redis", "nats", "traefik")
ROUNDS = 20
SIGNALS = (signal.SIGINT, signal.SIGKILL, signal.SIGTERM)


@pytest.fixture
def fresh(local: Platform) -> Iterator[Platform]:
    """The local project with nothing running and no data."""
    local.arcctl("clean", "--yes").ok()
    yield local
    local.arcctl("clean", "--yes").ok()


def _moments(longest: float) -> list[tuple[float, signal.Signals]]:
    chance = random.Random(20261123)
    return [(chance.uniform(0.1, longest), SIGNALS[n % len(SIGNALS)]) for n in range(ROUNDS)]


def test_up_that_is_interrupted_twenty_times_always_ends_healthy(fresh: Platform) -> None:
    for number, (seconds, by) in enumerate(_moments(3.0)):
        fresh.interrupted(seconds, "up", *WHEELS, by=by)
        if number % 4 == 3:  # otherwise the next interrupt starts from the state of this one
            fresh.arcctl("up", *WHEELS).ok()
            report = fresh.health(*WHEELS)
            assert {s["name"]: s["status"] for s in report["services"]} == dict.fromkeys(sorted(WHEELS), "healthy")
            fresh.arcctl("clean", "--yes").ok()


def _content(folder: Path) -> dict[str, str]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix not in (".lock", ".log"))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def caches() -> Iterator[Path]:
    """A folder that the account of the servers can enter; it cannot enter pytest's temporary folders."""
    with tempfile.TemporaryDirectory(prefix="arc-cache-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_engine_build_that_is_interrupted_twenty_times_ends_with_the_same_files(fresh: Platform, caches: Path) -> None:
    complete, interrupted = caches / "complete", caches / "interrupted"
    fresh.arcctl("engine", "build", *WHEELS, ARCCTL_CACHE=str(complete)).ok()
    cut = Platform(fresh.directory, {**fresh.environment, "ARCCTL_CACHE": str(interrupted)})
    for seconds, by in _moments(3.0):
        cut.interrupted(seconds, "engine", "build", *WHEELS, by=by)
        if seconds > 2:
            cut.arcctl("engine", "clean", "--yes").ok()
    cut.arcctl("engine", "build", *WHEELS).ok()
    assert sorted(p.name for p in (interrupted / "artifacts").glob(".*")) == []
    assert _content(interrupted) == _content(complete)
    assert cut.arcctl("engine", "build", *WHEELS).ok().err.splitlines()[0] == "every server is built"


def test_after_any_command_that_was_cut_off_the_next_up_ends_healthy_with_all_data(either: Platform) -> None:
    """`python -m benchmarks.interrupts` does more of the same, with all services."""
    found = list(rounds(either, len(COMMANDS), 20261129, tuple(COMMANDS), (*WHEELS, "kratos")))
    assert [str(r) for r in found if r.problem] == []


@pytest.mark.parametrize("name", sorted(i for i, s in CATALOGUE.services.items() if s.container.init))
def test_a_container_that_has_just_started_obeys_a_stop(stack: Platform, name: str) -> None:
    stack.docker("restart", container(name))
    stack.docker("stop", "--timeout", "10", container(name))
    code, killed = stack.docker("inspect", "--format", "{{.State.ExitCode}}", container(name)).strip(), "137"
    stack.docker("start", container(name))
    assert code != killed
