"""The caller's folder, variables, streams and `umask` change nothing of a platform of local processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from arcctl.engines.embedded import accounts, location
from tests.e2e.driver import PROGRAM, Platform
from tests.fakes.docker import FakeDocker

PROD = {"PGSERVICE": "prod", "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c no_such=1", "PGSSLROOTCERT": "/nowhere"}
PORT = "import psycopg; print(psycopg.connect().execute('select current_user, inet_server_port()').fetchone())"


def _in_shell(platform: Platform, variables: Mapping[str, str]) -> Platform:
    """The same platform, seen from a shell with these variables."""
    return replace(platform, environment={**platform.environment, **variables})


@pytest.fixture
def small(local_project: Platform) -> Platform:
    """Two services are enough."""
    local_project.arcctl("up", "postgres", "redis").ok()
    return local_project


@pytest.fixture
def stopped(local_project: Platform) -> Iterator[Platform]:
    local_project.arcctl("down").ok()
    yield local_project
    local_project.arcctl("down").ok()


@pytest.mark.parametrize("name", ["supervisor", "types"])
def test_no_file_of_the_project_is_executed_by_up(stopped: Platform, name: str) -> None:
    """Every LangGraph user has a supervisor.py."""
    file, mark = stopped.directory / f"{name}.py", stopped.directory / "executed"
    file.write_text(f"open({str(mark)!r}, 'w')\nraise SystemExit('not yours')\n")
    try:
        stopped.arcctl("up", "redis").ok()
        assert stopped.service("redis")["status"] == "healthy"
        assert not mark.exists()
    finally:
        file.unlink()


def test_health_and_databases_are_those_of_the_platform_whatever_the_shell_says_of_another(small: Platform) -> None:
    here = _in_shell(small, PROD)
    assert here.service("postgres")["status"] == "healthy"
    here.arcctl("verify", "postgres").ok()
    assert "arc" in here.arcctl("db", "list").ok().out


def test_a_program_in_run_connects_to_the_platform_whatever_the_shell_says_of_another(small: Platform) -> None:
    done = _in_shell(small, PROD).arcctl("run", "--", sys.executable, "-c", PORT).ok()
    assert done.out == f"('arc', {small.port(5432)})\n"
    assert done.err.startswith("not passed on, because it would lead elsewhere: PGHOSTADDR, PGSERVICE, ")


def test_a_shell_that_evaluates_env_connects_to_the_platform(small: Platform) -> None:
    script = f'eval "$({PROGRAM} env postgres)"; exec "$0" -c "$1"'
    done = subprocess.run(
        ("sh", "-euc", script, sys.executable, PORT),
        cwd=small.directory,
        env={**small.environment, **PROD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"('arc', {small.port(5432)})\n", "")


@pytest.mark.parametrize("unusual", [{"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}], ids=str)
def test_a_healthy_platform_is_healthy_on_a_stream_that_is_not_utf_8(small: Platform, unusual: dict[str, str]) -> None:
    for words in (("up", "redis"), ("health", "redis"), ("verify", "redis"), ("ps",)):
        done = _in_shell(small, unusual).arcctl(*words).ok()
        assert "Traceback" not in done.err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: for others servers run as the same user")
def test_servers_reach_what_was_written_for_them_under_a_strict_umask(stopped: Platform) -> None:
    with stopped.new_project() as project:
        try:
            for umask in (0o077, 0o022):
                done = subprocess.run(
                    (PROGRAM, "up", "postgres", "redis"),
                    cwd=project.directory,
                    env=dict(project.environment),
                    umask=umask,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stderr
                user = accounts.unprivileged()
                pids = location.base(project.directory).glob("run/*/pid")
                users = {psutil.Process(int(p.read_text())).username() for p in pids if p.parent.name == "redis"}
                assert users == {user.pw_name if user else "root"}
                project.arcctl("down").ok()
        finally:
            project.arcctl("clean", "--yes").ok()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: for others servers run as the same user")
def test_a_folder_that_an_earlier_run_closed_is_opened_again(small: Platform) -> None:
    small.arcctl("down").ok()
    location.base(small.directory).chmod(0o700)
    small.arcctl("up", "postgres", "redis").ok()


def test_a_stopped_project_stays_on_the_engine_that_has_its_data_until_another_is_asked_for(
    small: Platform, tmp_path: Path
) -> None:
    small.arcctl("down").ok()
    docker = FakeDocker(tmp_path / "bin")
    docker.says("version*", "28.5.2\n")
    done = small.arcctl("--engine", "auto", "up", "redis", "--dry-run", PATH=docker.path).ok()
    assert "engine: embedded, which has the data of this project; to start without that:" in done.err
    docker.says("*", err="Cannot connect to the Docker daemon", code=1)
    asked = small.arcctl("--engine", "docker", "up", "redis", "--dry-run", PATH=docker.path)
    assert asked.code == 3
    assert "the data of this project is in the embedded engine; the docker engine does not see it" in asked.err


def test_docker_starts_the_platform_whatever_the_shell_says_of_another_compose_project(platform: Platform) -> None:
    other = {"COMPOSE_PROJECT_NAME": "other", "COMPOSE_FILE": "/nowhere/compose.yaml", "COMPOSE_PROFILES": "other"}
    here = _in_shell(platform, {**other, **PROD})
    here.arcctl("up", "postgres").ok()
    assert here.service("postgres")["status"] == "healthy"
    projects = platform.docker("ps", "--format", '{{.Label "com.docker.compose.project"}}').split()
    assert set(projects) == {"arc"}
    here.arcctl("down").ok()
    assert platform.docker("ps", "--all", "--quiet") == ""


def test_a_project_with_data_in_docker_is_not_started_elsewhere_where_docker_does_not_answer(
    platform: Platform,
) -> None:
    platform.arcctl("up", "redis").ok()
    platform.arcctl("down").ok()
    away = _in_shell(platform, {"DOCKER_HOST": "unix:///nowhere"})
    done = away.arcctl("up", "redis")
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines() == [
        "engine: docker, which has the data of this project; to start without that: arcctl --engine embedded up",
        "error: cannot reach the Docker engine",
        "hint: start Docker and try again; `docker version` shows whether it runs",
    ]
    asked = away.arcctl("--engine", "embedded", "up", "redis", "--dry-run").ok()
    assert "the data of this project is in the docker engine; the embedded engine does not see it" in asked.err
