"""One engine and one platform of each kind for the whole session, brought up again for each file of tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl import services
from arcctl.core.env import variables
from tests.e2e.driver import Platform

CHECKOUT = Path(__file__).parents[2]

# A shell that starts these tests in the background lets them ignore Ctrl-C, and what they start would too.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def engine() -> Iterator[dict[str, str]]:
    """The environment in which `docker` reaches an engine: the user's own, or one that the testbed makes."""
    environment = dict(os.environ)
    if _answers(environment):
        yield environment
        return
    _testbed("down")  # what a run that was killed left on it is nobody's
    done = _testbed("up")
    if done.returncode:
        _no_engine("no Docker engine answers and the testbed could not make one")
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
    """Loud for a person, a failure for a continuous integration job."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(f"END-TO-END TESTS DID NOT RUN: {why}")


@pytest.fixture(scope="session")
def platform(engine: dict[str, str]) -> Iterator[Platform]:
    """A fresh home with nothing started."""
    home = Path(tempfile.mkdtemp(prefix="arc-home-"))
    made = Platform(home, engine)
    if made.docker("volume", "ls", "-q", "--filter", "label=com.docker.compose.project=arc"):
        pytest.exit("this engine holds data of a platform, which these tests would destroy: arcctl clean", 1)
    made.arcctl("init").ok()
    yield made
    made.arcctl("clean", "--yes")
    shutil.rmtree(home)


SHIFT = 11_000
"""Added to the ports of the second platform, which runs beside the first; all stay below those given to clients."""


@pytest.fixture(scope="session")
def second_home() -> Iterator[Platform]:
    """A fresh home for the embedded engine, with nothing started."""
    home = Path(tempfile.mkdtemp(prefix="arc-local-"))
    made = Platform(home, local_environment(), SHIFT)
    made.arcctl("init").ok()
    yield made
    made.arcctl("clean", "--yes").ok()
    shutil.rmtree(home)


def local_environment(shift: int = SHIFT) -> dict[str, str]:
    """Every port moved, so that several platforms can run at once."""
    containers = services.load().containers().values()
    ports = [v for c in containers for v in variables(c.env) if v.name.endswith("_PORT")]
    return {**os.environ, "ARCCTL_ENGINE": "embedded", **{v.name: str(int(str(v.default)) + shift) for v in ports}}


@pytest.fixture(scope="module")
def local(second_home: Platform) -> Platform:
    """The twelve services that packages bring, up and proved, without Docker."""
    second_home.arcctl("up").ok()
    return second_home


@pytest.fixture(params=["stack", "local"], scope="module")
def either(request: pytest.FixtureRequest) -> Platform:
    """All services, on the one engine and on the other."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Platform)
    return found


@pytest.fixture(scope="module")
def stack(platform: Platform) -> Platform:
    """All fourteen services, up and proved."""
    platform.arcctl("up", "--stack").ok()
    return platform
