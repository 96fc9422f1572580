"""Fixtures that several test folders use: the docker command line with Compose, a fake docker, plain streams."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from arcctl.lifecycle import watch
from tests.fakes.docker import FakeDocker
from tests.small_disk import SmallDisk
from tests.testbed.rootfs import ensure_engine_root, ensure_plugins

settings.register_profile("steady", deadline=None, derandomize=True)  # the same examples on every machine
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a Docker engine."""
    for item in items:
        asked = {*getattr(item, "fixturenames", ()), *_parameters(item).values()}
        real = {"compose_cli", *(("engine", "platform", "stack") if "e2e" in item.path.parts else ())}
        if asked & real:
            item.add_marker(pytest.mark.docker)


def _parameters(item: pytest.Item) -> dict[str, str]:
    parameters = getattr(item, "callspec", None)
    return {k: v for k, v in parameters.params.items() if isinstance(v, str)} if parameters else {}


@pytest.fixture(scope="session")
def compose_cli() -> None:
    """`docker compose`, which works without an engine; skips with a clear message, and fails where CI is set."""
    if _has_compose():
        return
    if os.geteuid() == 0:
        ensure_plugins(ensure_engine_root())
    if not _has_compose():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("COMPOSE TESTS DID NOT RUN: no `docker compose` here")


def _has_compose() -> bool:
    command = ("docker", "compose", "version")
    return bool(shutil.which("docker")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


def pytest_configure(config: pytest.Config) -> None:
    """The tests know no projects of this user, and leave none behind."""
    folder = os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="arc-data-")
    config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))


@pytest.fixture(autouse=True)
def own_projects(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test knows no projects but its own; those of whole platforms share what they know."""
    if "e2e" not in request.path.parts:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("data")
        monkeypatch.setenv("XDG_DATA_HOME", str(folder))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fakes answer at once, so nobody need pause between two probes."""
    monkeypatch.setattr(watch, "PAUSE", 0.001)
    monkeypatch.setattr(watch, "AT_ONCE", 0.0)


@pytest.fixture
def plain_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output without colours, whatever terminal runs the tests."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk that a test fills, with room on it at first."""
    if os.geteuid():
        pytest.skip("only root can mount a disk")
    disk = SmallDisk(tmp_path / "disk")
    disk.mount()
    yield disk
    disk.unmount()


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A program named `docker` with answers that a test sets."""
    fake = FakeDocker(tmp_path / "bin")
    monkeypatch.setenv("PATH", fake.path)
    return fake
