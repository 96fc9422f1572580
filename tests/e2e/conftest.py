"""One Docker engine and two platforms for the whole session; each test file starts the services that it needs."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arcctl import services
from arcctl.model.env import variables
from arcctl.model.names import PROJECT, PROJECT_NAME
from tests.e2e.driver import Platform
from tests.testbed.places import ENGINE, cache

CHECKOUT = Path(__file__).parents[2]

# A shell makes background processes ignore Ctrl-C; the programs that these tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def engine() -> Iterator[dict[str, str]]:
    """The environment in which `docker` reaches an engine: the user's, or one that the testbed starts.

    Only one run of these tests uses an engine at a time; a second run waits.
    """
    environment = dict(os.environ)
    other = _answers(environment)
    with _lock("other-engine" if other else ENGINE):
        yield from [environment] if other else _testbed_engine(environment)


@contextmanager
def _lock(name: str) -> Iterator[None]:
    with (cache() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _testbed_engine(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    _testbed("down")  # remove what a killed run left
    done = _testbed("up")
    if done.returncode:
        _no_engine("no Docker engine answers and the testbed could not start one")
    exports = (line.removeprefix("export ") for line in done.stdout.splitlines() if line.startswith("export "))
    environment |= dict(line.split("=", 1) for line in exports)
    yield environment
    _testbed("down").check_returncode()


def _testbed(word: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "tests.testbed", word)
    return subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)


def _answers(environment: dict[str, str]) -> bool:
    if not shutil.which("docker"):
        return False
    return subprocess.run(("docker", "info"), env=environment, capture_output=True, check=False).returncode == 0


def _no_engine(why: str) -> None:
    """Skip with a clear message; fail where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(f"END-TO-END TESTS DID NOT RUN: {why}")


@pytest.fixture(scope="session")
def platform(engine: dict[str, str]) -> Iterator[Platform]:
    """A new project on the Docker engine, with nothing started."""
    directory = Path(tempfile.mkdtemp(prefix="arc-project-"))
    project = Platform(directory, {**engine, PROJECT_NAME: PROJECT})
    if project.docker("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={PROJECT}"):
        pytest.exit("this engine holds data of a platform, which these tests would destroy: arcctl clean", 1)
    project.arcctl("init").ok()
    yield project
    project.arcctl("clean", "--yes")
    shutil.rmtree(directory)


CALM = 20
"""Lines that `up` prints at most where every image is there and all becomes healthy."""
SHIFT = 11_000
"""Added to the ports of the local project, which runs at the same time; all stay below the ephemeral ports."""


@pytest.fixture(scope="session")
def local_project() -> Iterator[Platform]:
    """A new project on the embedded engine, with nothing started; one at a time has the ports of this network."""
    network = Path("/proc/self/ns/net")
    with _lock(network.readlink().name if network.is_symlink() else "network"):
        directory = Path(tempfile.mkdtemp(prefix="arc-local-"))
        project = Platform(directory, local_environment(), SHIFT)
        project.arcctl("init").ok()
        yield project
        project.arcctl("clean", "--yes").ok()
        shutil.rmtree(directory)


def local_environment(shift: int = SHIFT) -> dict[str, str]:
    """Every port is shifted, so that several platforms can run at once."""
    containers = services.load().components().values()
    ports = [v for c in containers for v in variables(c.env) if v.name.endswith("_PORT")]
    return {**os.environ, "ARCCTL_ENGINE": "embedded", **{v.name: str(int(str(v.default)) + shift) for v in ports}}


@pytest.fixture(scope="module")
def local(local_project: Platform) -> Platform:
    """The twelve services of the embedded engine, running and healthy."""
    local_project.arcctl("up").ok()
    return local_project


@pytest.fixture(params=["stack", "local"], scope="module")
def either(request: pytest.FixtureRequest) -> Platform:
    """All services, first on Docker, then on the embedded engine."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Platform)
    return found


@pytest.fixture(scope="module")
def stack(platform: Platform) -> Platform:
    """All services on Docker, running and healthy."""
    done = platform.arcctl("up", "--stack").ok()
    assert len(done.err.splitlines()) <= CALM, done.err
    return platform
