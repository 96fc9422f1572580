"""What the caller's shell has set does not reach our own clients, nor the programs that work for us."""

from __future__ import annotations

import json
import os
import socket
import subprocess

import pytest

from arcctl.settings.directory import ProjectDirectory
from tests.cli.command_line import PROGRAM, CommandLine, container, serving

PROD = {"PGSERVICE": "prod", "PGSERVICEFILE": "/nowhere", "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c x=y"}
COMPOSE = {"COMPOSE_PROJECT_NAME": "other", "COMPOSE_FILE": "other.yaml", "DOCKER_DEFAULT_PLATFORM": "linux/s390x"}


def test_health_asks_the_server_of_the_platform_whatever_the_shell_says_of_another(cli: CommandLine) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        item = container("postgres")
        item["NetworkSettings"]["Ports"] = {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
        cli.engine(item)
        cli.environment |= PROD
        done = cli.arcctl("health", "postgres")
    assert "definition of service" not in done.out
    assert f"nothing listens on port {port}" in done.out


def test_a_package_of_the_current_folder_is_not_imported_in_the_place_of_ours(cli: CommandLine) -> None:
    """Also where the shell has PYTHONPATH, which agents in a `src` folder often need."""
    with serving() as port:
        cli.engine(container(port=port))
        for name in ("httpx", "yaml", "pydantic"):
            (cli.directory / name).mkdir()
            (cli.directory / name / "__init__.py").write_text("raise SystemExit('imported')")
        more = {"PATH": cli.docker.path, "ARCCTL_ENGINE": "docker", "LOKI_HOST_PORT": str(port), "PYTHONPATH": "."}
        command = (PROGRAM, "health", "loki")
        done = subprocess.run(command, cwd=cli.directory, env={**os.environ, **more}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("words", [("ps",), ("compose", "ps")], ids=" ".join)
def test_docker_gets_nothing_of_another_compose_project_and_keeps_the_engine(
    cli: CommandLine, words: tuple[str, ...]
) -> None:
    cli.engine()
    cli.docker.says("compose *")
    program = cli.docker.folder / "docker"
    log = cli.directory / "environment"
    program.write_text(program.read_text().replace("#!/bin/sh", f"#!/bin/sh\nenv >> {log}"))
    cli.environment |= {**COMPOSE, "DOCKER_HOST": "unix:///mine"}
    cli.arcctl(*words)
    names = {line.partition("=")[0] for line in log.read_text().splitlines()}
    assert (names & {*COMPOSE}, "DOCKER_HOST" in names) == (set(), True)


DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: ..."
TOLD = (
    "error: permission denied on the socket of the Docker engine: are you in the group docker?\n"
    "hint: sudo usermod -aG docker $USER, then log in again\n"
)


def test_a_project_with_data_in_docker_is_not_started_elsewhere_where_this_user_may_not_use_docker(
    cli: CommandLine,
) -> None:
    cli.docker.says("*", err=DENIED, code=1)
    directory = ProjectDirectory(cli.directory)
    directory.remember_engine("docker")
    directory.remember_engine("")  # as `down` does
    done = cli.arcctl("--engine", "auto", "up", "loki", "--dry-run")
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "engine: docker, which has the data of this project; to start without that: arcctl --engine embedded up\n"
        + TOLD
    )


EMPTY = (
    "error: the data of this project is in the embedded engine\n"
    "hint: unset ARCCTL_ENGINE; arcctl up; to start without that data: arcctl --engine docker up\n"
)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (("up", "loki"), True),
        (("--engine", "docker", "up", "loki"), False),
        (("up", "--engine", "docker", "loki"), False),
    ],
    ids=["the environment names it", "an option names it", "an option of the command names it"],
)
def test_a_second_empty_platform_is_started_only_where_the_command_line_names_its_engine(
    cli: CommandLine, words: tuple[str, ...], refused: bool
) -> None:
    cli.engine()
    cli.docker.says("compose * up *", err="Error response from daemon: it rains", code=1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        cli.environment["LOKI_HOST_PORT"] = str(free.getsockname()[1])
    directory = ProjectDirectory(cli.directory)
    directory.remember_engine("embedded")
    directory.remember_engine("")
    done = cli.arcctl(*words)
    assert "the data of this project is in the embedded engine; the docker engine does not see it" in done.err
    assert (done.code, done.err.endswith(EMPTY), "it rains" in done.err) == (5 if refused else 3, refused, not refused)


def test_doctor_says_that_this_user_may_not_use_docker_whichever_engine_is_in_use(cli: CommandLine) -> None:
    cli.docker.says("*", err=DENIED, code=1)
    told = "permission denied on the socket of the Docker engine: are you in the group docker?"
    for engine, id, level in (("docker", "engine", "problem"), ("auto", "docker", "warn")):
        found = json.loads(cli.arcctl("--engine", engine, "doctor", "--json").out)["diagnoses"]
        assert [(f["state"], f["evidence"]) for f in found if f["id"] == id] == [(level, told)]
