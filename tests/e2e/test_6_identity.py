"""What runs and whose it is, also where files beside it are gone, the clock stepped, or the project was renamed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl.engines.embedded import accounts, location, processes
from tests.e2e.clients import redis_client
from tests.e2e.driver import Platform, eventually, reason

SERVERS = {"redis", "nats"}


@pytest.fixture
def project(local_project: Platform) -> Iterator[Platform]:
    """A project of its own with two servers; it has the ports of the common one meanwhile."""
    local_project.arcctl("down").ok()
    with local_project.new_project() as project:
        project.arcctl("up", *SERVERS).ok()
        yield project
        if project.directory.is_dir():
            project.arcctl("clean", "--yes").ok()


def _base(project: Platform) -> Path:
    return location.base(project.directory)


def _pids(project: Platform) -> dict[str, int]:
    return {key: int(text) for key, text in project.running().items()}


def _supervisors(project: Platform) -> list[int]:
    return [*processes.supervisors(_base(project))]


def _alive(pids: dict[str, int]) -> list[str]:
    return [key for key, pid in pids.items() if processes.runs(pid)]


def test_without_its_socket_health_says_what_is_so_and_up_takes_all_up_again(project: Platform) -> None:
    before, (old,) = _pids(project), _supervisors(project)
    (_base(project) / "s").unlink()
    for name in SERVERS:
        found = project.service(name)
        assert (found["status"], found["state"]) == ("degraded", "running")
        assert "its supervisor does not answer" in reason(found)
    doctor = project.arcctl("doctor")
    assert "its socket was removed" in doctor.out
    done = project.arcctl("down", "redis")
    assert (done.code, _alive(before)) == (3, list(before))
    assert done.err.endswith("error: the supervisor of this project does not answer\nhint: arcctl up\n")
    project.arcctl("up", "redis").ok()  # and what the old supervisor ran besides
    assert {name: project.service(name)["status"] for name in SERVERS} == dict.fromkeys(SERVERS, "healthy")
    assert (_alive(before), len(_supervisors(project)), processes.runs(old)) == ([], 1, False)


@pytest.mark.parametrize("words", [("down",), ("clean", "--yes")])
def test_without_its_socket_everything_is_really_stopped(project: Platform, words: tuple[str, ...]) -> None:
    before = _pids(project)
    (_base(project) / "s").unlink()
    project.arcctl(*words).ok()
    assert (_alive(before), processes.working_below(_base(project))) == ([], {})  # nor what would start them again
    project.arcctl("up", *SERVERS).ok()


def test_servers_without_a_supervisor_are_stopped_also_after_the_clock_stepped(project: Platform) -> None:
    before, an_hour_ago = _pids(project), time.time() - 3600
    for file in _base(project).glob("run/*/pid"):
        os.utime(file, (an_hour_ago, an_hour_ago))
    (supervisor,) = _supervisors(project)
    os.kill(supervisor, signal.SIGKILL)
    assert eventually(lambda: not processes.runs(supervisor))
    project.arcctl("down").ok()
    assert _alive(before) == []


def test_nothing_is_destroyed_while_a_forgotten_server_runs(project: Platform) -> None:
    """Nothing is left of what says that it runs, but it has its folder open."""
    redis_client(project).set("kept", "yes")
    pid, base = _pids(project)["redis"], _base(project)
    for file in (base / "s", *base.glob("run/*/pid")):
        file.unlink()
    (supervisor,) = _supervisors(project)
    os.kill(supervisor, signal.SIGKILL)
    assert eventually(lambda: not processes.runs(supervisor))
    for command in (("down",), ("clean", "--yes")):
        done = project.arcctl(*command)
        assert done.code == 3
        assert f"(pid {pid})" in done.err
        assert "\nhint: see what they are: ps -fp" in done.err
    assert redis_client(project).get("kept") == "yes"
    left = processes.working_below(base)
    processes.end([*left])
    project.arcctl("up", "redis").ok()
    assert redis_client(project).get("kept") == "yes"


def test_a_renamed_project_finds_its_data_again(project: Platform) -> None:
    redis_client(project).set("kept", "yes")
    project.arcctl("down").ok()
    renamed = replace(project, directory=project.directory.rename(f"{project.directory}-renamed"))
    try:
        renamed.arcctl("up", "redis").ok()
        assert redis_client(renamed).get("kept") == "yes"
        if accounts.unprivileged():
            assert location.owner(_base(renamed)) == str(renamed.directory)
    finally:
        renamed.arcctl("clean", "--yes").ok()
        renamed.directory.rename(project.directory)
