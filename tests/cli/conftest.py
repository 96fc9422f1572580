"""A stage per test, and one home for all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.stage import Stage
from tests.fake_docker import FakeDocker


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `init` makes it where no engine answers."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    home.mkdir()
    stage = Stage(home, FakeDocker(home.parent / "bin"))
    stage.docker.says("*", err="Cannot connect to the Docker daemon", code=1)
    assert stage.arcctl("init").code == 0
    return home


@pytest.fixture
def stage(prepared: Path, tmp_path: Path) -> Stage:
    shutil.copytree(prepared, tmp_path / "home", symlinks=True)
    return Stage(tmp_path / "home", FakeDocker(tmp_path / "bin"))
