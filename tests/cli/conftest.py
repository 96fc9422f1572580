"""A command line per test, each over a copy of one project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from arcctl.engines.host_ports import LoopbackPorts
from arcctl.model.names import PROJECT
from tests.cli.command_line import CommandLine
from tests.fakes.docker import FakeDocker

EPHEMERAL = 32_768
"""The first port that the system gives to a test that asks for any."""
TAKEN = LoopbackPorts.taken


@pytest.fixture(autouse=True)
def usual_ports_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs on this machine beside the tests: only their own servers have ports."""
    monkeypatch.setattr(LoopbackPorts, "taken", lambda ports, number: number >= EPHEMERAL and TAKEN(ports, number))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as `init` makes it where no engine answers."""
    directory = tmp_path_factory.mktemp("prepared") / "project"
    directory.mkdir()
    cli = CommandLine(directory, FakeDocker(directory.parent / "bin"))
    cli.docker.says("*", err="Cannot connect to the Docker daemon", code=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoopbackPorts, "taken", lambda ports, number: False)
        patch.setenv("XDG_DATA_HOME", str(directory.parent / "data"))  # no other project of this run sees it
        assert cli.arcctl("-p", PROJECT, "init").code == 0
    (directory / ".arcctl" / "used-engines").unlink()  # or what an engine has of this name would be somebody else's
    return directory.rename(directory.with_name("moved"))  # or each copy of it would be one of a project that exists


@pytest.fixture
def cli(prepared: Path, tmp_path: Path) -> CommandLine:
    return CommandLine(settled(prepared, tmp_path / "project"), FakeDocker(tmp_path / "bin"))


def settled(prepared: Path, directory: Path) -> Path:
    """A copy of a project, which knows where it is: no command has to note that."""
    shutil.copytree(prepared, directory, symlinks=True)
    note = directory / ".arcctl" / "project.json"
    note.write_text(note.read_text().replace(json.loads(note.read_text())["directory"], str(directory)))
    return directory
