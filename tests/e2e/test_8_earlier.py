"""What arcctl wrote and started when projects had no names is taken over as it is."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import local_environment
from tests.e2e.driver import Platform
from tests.e2e.earlier import SERVERS, AsProcesses, EarlierHome, OnDocker

NAME = "arc"
SHIFT = 14_500
ENGINES = {"engine": OnDocker, "local": AsProcesses}


@pytest.fixture(params=ENGINES)
def home(request: pytest.FixtureRequest) -> Iterator[EarlierHome]:
    """It runs and has data, and arcctl has no list of projects; nothing says which engine it is on but itself."""
    environment = dict(os.environ)
    if request.param == "engine":
        environment = request.getfixturevalue("engine")
        request.getfixturevalue("platform").arcctl("clean", "--yes").ok()  # which has the same name
    ports = {name: value for name, value in local_environment(SHIFT).items() if name.endswith("_PORT")}
    with tempfile.TemporaryDirectory(prefix="arc-earlier-") as folder:
        Path(folder).chmod(0o755)
        directory = Path(folder) / "home"
        directory.mkdir(mode=0o755)
        own = {**environment, **ports, "XDG_DATA_HOME": f"{folder}/data"}
        own.pop("ARCCTL_ENGINE", None)
        home = ENGINES[request.param](Platform(directory, own, SHIFT))
        try:
            home.start()
            home.write()
            yield home
        finally:
            home.platform.arcctl("clean", "--yes")
            home.remove()


def _listed(platform: Platform) -> dict[str, str]:
    """The state of each project in the directory, by its name."""
    found = json.loads(platform.arcctl("projects", "--json").ok().out)["projects"]
    return {one["name"]: one["state"] for one in found if one["directory"] == str(platform.directory)}


def test_it_is_taken_over_as_it_is_with_all_its_data(home: EarlierHome) -> None:
    arcctl = home.platform.arcctl
    data, stores, secrets = home.read(), home.stores(), home.platform.secrets()
    assert len(stores) == len(SERVERS)
    assert "running" in arcctl("status", "redis").ok().out

    arcctl("up", *SERVERS).ok()

    assert home.read() == data
    assert _listed(home.platform) == {NAME: "running"}
    assert json.loads((home.directory / ".arcctl" / "project.json").read_text())["name"] == NAME
    assert secrets.items() <= home.platform.secrets().items()
    assert home.stores() == stores
    if isinstance(home, OnDocker):
        assert {f"{NAME}_{server}" for server in SERVERS} <= home.containers()

    arcctl("down").ok()
    arcctl("up", *SERVERS).ok()

    assert (home.read(), home.stores()) == (data, stores)
    assert home.platform.health(*SERVERS)["status"] == "healthy"
    arcctl("clean", "--yes").ok()
    assert home.stores() == set()
