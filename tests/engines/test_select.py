"""Which engine a project gets: never a second, empty one without being asked."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from arcctl.engines import select
from arcctl.engines.docker import refusals
from arcctl.engines.embedded import accounts, location
from arcctl.errors import NotPermitted, UsageError
from arcctl.events import Event, Kind
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import TOY
from tests.fakes.docker import FakeDocker

DENIED = "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock"
GROUP = "permission denied on the socket of the Docker engine: are you in the group docker?"


@pytest.fixture
def directory(tmp_path: Path) -> ProjectDirectory:
    for name in ("config", "compose"):
        (tmp_path / name).mkdir()
    return ProjectDirectory(tmp_path)


def _chosen(directory: ProjectDirectory, wanted: str = "auto") -> tuple[str, list[Event]]:
    said: list[Event] = []
    used = select.used(directory)
    _, engine = select.choose(wanted, directory.engine(), used, directory, TOY, said.append)
    return engine.name, said


def _ran(directory: ProjectDirectory, *engines: str) -> None:
    for engine in engines:
        directory.remember_engine(engine)
        directory.remember_engine("")


def test_a_project_that_ran_nowhere_gets_docker_where_it_answers(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    docker.says("version*", "28.5.2\n")
    name, (note,) = _chosen(directory)
    assert (name, note.message) == ("docker", "engine: docker, because Docker answers")


def test_a_project_that_ran_nowhere_gets_local_processes_where_docker_does_not_answer(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    docker.says("version*", err="Cannot connect to the Docker daemon", code=1)
    name, (note,) = _chosen(directory)
    assert (name, note.message) == ("embedded", "engine: embedded, because Docker does not answer")


def test_that_this_user_may_not_use_docker_is_said_with_the_command_that_changes_it(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    docker.says("version*", err=DENIED, code=1)
    name, (warning, note) = _chosen(directory)
    assert (name, warning.kind) == ("embedded", Kind.WARNING)
    assert warning.message == f"{GROUP} To get in: sudo usermod -aG docker $USER, then log in again"
    assert note.message == "engine: embedded, because Docker may not be used by this user"


@pytest.mark.parametrize("err", [DENIED, "Cannot connect to the Docker daemon"])
def test_a_project_with_data_in_docker_stays_there_where_docker_does_not_answer(
    docker: FakeDocker, directory: ProjectDirectory, err: str
) -> None:
    docker.says("*", err=err, code=1)
    _ran(directory, "docker")
    name, (note,) = _chosen(directory)
    assert name == "docker"
    assert note.message == (
        "engine: docker, which has the data of this project; to start without that: arcctl --engine embedded up"
    )


def test_a_project_with_data_of_local_processes_stays_there_where_docker_answers(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    docker.says("version*", "28.5.2\n")
    _ran(directory, "docker", "embedded")
    assert _chosen(directory)[0] == "embedded"


def test_another_engine_is_used_where_it_is_asked_for_and_where_the_data_is_is_said(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    _ran(directory, "docker")
    name, (warning,) = _chosen(directory, "embedded")
    assert (name, warning.kind) == ("embedded", Kind.WARNING)
    assert warning.message == "the data of this project is in the docker engine; the embedded engine does not see it"


def test_an_engine_whose_data_was_destroyed_is_forgotten_and_the_one_before_is_known_again(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    _ran(directory, "embedded", "docker")
    directory.forget_engine("docker")
    assert _chosen(directory)[0] == "embedded"
    directory.forget_engine("embedded")
    docker.says("version*", "28.5.2\n")
    assert _chosen(directory)[0] == "docker"


def test_another_engine_than_the_one_that_runs_is_refused(docker: FakeDocker, directory: ProjectDirectory) -> None:
    directory.remember_engine("docker")
    with pytest.raises(UsageError, match="this project is running on the docker engine"):
        _chosen(directory, "embedded")
    with pytest.raises(UsageError, match="unknown engine 'podman'"):
        _chosen(directory, "podman")


@pytest.mark.parametrize(("local_data", "engine"), [(False, "docker"), (True, "embedded")])
def test_an_earlier_arcctl_did_not_note_the_engine_but_left_its_data(
    directory: ProjectDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_data: bool, engine: str
) -> None:
    monkeypatch.setattr(location, "base", lambda root: tmp_path / "base")
    assert select.used(directory) == ""
    directory.remember_bootstrapped(["store"])
    if local_data:
        (tmp_path / "base" / "data").mkdir(parents=True)
    assert select.used(directory) == engine
    directory.write_private({directory.state / "used-engines": ""})
    assert select.used(directory) == (engine if local_data else "")


def test_a_project_that_an_earlier_arcctl_started_is_remembered_when_it_is_stopped(directory: ProjectDirectory) -> None:
    directory.write_private({directory.state / "engine": "docker\n"})
    directory.remember_engine("")
    assert (directory.engine(), directory.used_engines()) == ("", {"docker": ""})


def test_which_engine_of_its_kind_has_the_data_is_kept_until_that_is_destroyed(directory: ProjectDirectory) -> None:
    which = "4f1 unset DOCKER_HOST DOCKER_CONTEXT; docker context use default"
    directory.remember_engine("docker", which)
    directory.remember_engine("")
    directory.remember_engine("embedded")
    directory.remember_engine("docker")  # an `up` that starts nothing does not ask
    assert directory.used_engines() == {"embedded": "", "docker": which}
    directory.forget_engine("docker")
    assert directory.used_engines() == {"embedded": ""}


def test_where_the_data_of_a_renamed_project_may_be_elsewhere_no_engine_is_claimed(
    directory: ProjectDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier arcctl noted neither the engine nor the id of a project of root."""
    monkeypatch.setattr(accounts, "unprivileged", lambda: pwd.getpwuid(0))
    monkeypatch.setattr(location, "ROOT", tmp_path / "root")
    directory.remember_bootstrapped(["store"])
    assert select.used(directory) == "docker"
    left = tmp_path / "root" / "0123456789ab"
    (left / "data").mkdir(parents=True)
    (left / location.OWNER).write_text("/srv/before\n")
    assert select.used(directory) == ""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("docker"), reason="needs root and the program docker")
def test_docker_says_of_a_socket_that_this_user_may_not_open_what_is_recognised() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        place = Path(folder, "docker.sock")
        Path(folder).chmod(0o755)
        listener.bind(str(place))
        listener.listen()
        place.chmod(0o600)
        done = subprocess.run(
            ("docker", "version"),
            user="nobody",
            env={"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{place}", "HOME": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    found = refusals.refusal(done.stderr)
    assert (type(found), found.message) == (NotPermitted, GROUP)
