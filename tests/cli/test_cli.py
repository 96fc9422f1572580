"""The command line as a process, without an engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arcctl import services
from tests.fakes.contracts import check_document, shipped

PROGRAM = str(Path(sys.executable).parent / "arcctl")
NO_ENGINE = {
    "DOCKER_HOST": "unix:///nonexistent.sock",
    "ARCCTL_ENGINE": "docker",
    "NO_COLOR": "1",
    "COLUMNS": "200",
}


def arcctl(directory: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **NO_ENGINE, "ARCCTL_PROJECT_DIRECTORY": str(directory), **extra}
    done = subprocess.run((PROGRAM, *words), env=environment, capture_output=True, text=True, check=False)
    check_document(words, done.stdout)
    return done


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    assert arcctl(folder, "init").returncode == 0
    return folder


def test_init_makes_a_project_and_a_second_one_generates_no_secret(tmp_path: Path) -> None:
    first, second = arcctl(tmp_path, "init"), arcctl(tmp_path, "init")
    assert first.stderr.startswith(f"project {tmp_path}: ")
    assert "secrets generated" in first.stderr
    assert second.stderr == f"project {tmp_path}: secrets exist already\nnext: arcctl up\n"
    assert first.stdout == second.stdout == ""


def test_a_name_that_another_project_has_is_refused_and_that_project_is_left_alone(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    assert arcctl(tmp_path / "first", "-p", "shop", "init").returncode == 0
    there = {**os.environ, **NO_ENGINE}
    command = (PROGRAM, "-p", "shop", "init")
    done = subprocess.run(command, env=there, cwd=tmp_path / "second", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        5,
        f"error: the name shop is in use: the project in {tmp_path}/first\n"
        "hint: choose another one: arcctl -p shop-2 init\n",
    )


def test_a_second_init_brings_back_what_is_missing_and_keeps_what_was_changed(tmp_path: Path) -> None:
    assert arcctl(tmp_path, "init").returncode == 0
    lock, limits = tmp_path / "apps/swiss_army_py/requirements.lock", tmp_path / "config/loki/config.yaml"
    brought = lock.read_text()
    lock.unlink()
    limits.write_text("mine\n")
    assert arcctl(tmp_path, "init").returncode == 0
    assert (lock.read_text(), limits.read_text()) == (brought, "mine\n")


@pytest.mark.parametrize(
    ("words", "file", "text", "code", "error"),
    [
        (("up", "redsi"), "", "", 2, "error: unknown service 'redsi'\nhint: did you mean redis?\n"),
        (
            ("info",),
            ".env",
            "REDIS_HOST_PROT=1\n",
            2,
            "config/redis/.env: unknown setting REDIS_HOST_PROT, did",
        ),
        (("info",), ".env", "what is this\n", 2, "error: config/redis/.env, line 1: not of the form NAME=value\n"),
        (("info",), ".env", "REDIS_HOST_PORT=s3ntinel\n", 2, "error: REDIS_HOST_PORT: input should be a valid integer"),
        (
            ("info",),
            ".env",
            "REDIS_PASSWORD=changeme\n",
            2,
            "error: REDIS_PASSWORD: an example value that everybody knows",
        ),
        (
            ("info",),
            ".env",
            "REDIS_PASSWORD=s3ntinel $x\n",
            2,
            "error: REDIS_PASSWORD: is empty, or has characters",
        ),
        (("up",), "", "", 3, "error: cannot reach the Docker engine\nhint: start Docker and try again"),
        (("health",), "", "", 3, "error: cannot reach the Docker engine\n"),
        (("clean", "--yes"), "", "", 3, "error: cannot reach the Docker engine\n"),
        (("health", "--timeout", "-1"), "", "", 2, "Invalid value for '--timeout'"),
        (("nonsense",), "", "", 2, "No such command 'nonsense'"),
    ],
)
def test_bad_input_gets_a_clear_error_and_an_exit_code_and_no_traceback(
    directory: Path, words: tuple[str, ...], file: str, text: str, code: int, error: str
) -> None:
    path = directory / "config" / "redis" / (file or "unused")
    path.write_text(text)
    done = arcctl(directory, *words)
    path.unlink()
    assert error in done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "s3ntinel" not in done.stderr + done.stdout


def test_no_project_is_exit_2_with_the_way_out(tmp_path: Path) -> None:
    done = arcctl(tmp_path, "info")
    message = f"error: no arcctl project at {tmp_path}\nhint: arcctl --project-directory {tmp_path} init\n"
    assert (done.returncode, done.stderr) == (2, message)


def test_health_json_is_one_valid_document_also_without_an_engine(directory: Path) -> None:
    done = arcctl(directory, "health", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["error"]["code"], done.stderr) == (3, "engine", "")


def test_every_schema_is_printed_by_its_name_and_an_unknown_one_is_exit_2(directory: Path) -> None:
    names = arcctl(directory, "schema").stdout.split()
    assert {"health", "verify", "trace", "bootstrap", "info", "doctor"} <= set(names)
    for name in names:
        assert json.loads(arcctl(directory, "schema", name).stdout) == shipped(f"arcctl.{name}/v1")
    done = arcctl(directory, "schema", "nothing")
    assert (done.returncode, done.stderr) == (
        2,
        f"error: no schema of 'nothing'\nhint: one of {', '.join(names)}\n",
    )


def test_config_show_tells_each_value_and_its_origin_and_hides_secrets(directory: Path) -> None:
    items = json.loads(arcctl(directory, "config", "show", "--json", LOKI_HOST_PORT="3101").stdout)["settings"]
    shown = {item["name"]: (item["value"], item["origin"]) for item in items}
    assert shown["LOKI_HOST_PORT"] == ("3101", "environment")
    assert shown["REDIS_HOST_PORT"] == ("6379", "default")
    assert shown["REDIS_PASSWORD"] == ("********", ".arcctl/secrets.env")


def test_config_validate_warns_of_a_near_miss_in_the_environment(directory: Path) -> None:
    done = arcctl(directory, "config", "validate", REDIS_HOST_PROT="1")
    assert done.returncode == 0
    assert "warning: environment: unknown setting REDIS_HOST_PROT, did you mean REDIS_HOST_PORT?" in done.stderr


def test_info_reveals_passwords_only_when_asked(directory: Path) -> None:
    hidden = json.loads(arcctl(directory, "info", "redis", "--json").stdout)
    revealed = json.loads(arcctl(directory, "info", "redis", "--json", "--reveal").stdout)
    assert hidden["services"][0]["endpoints"][0]["secret"] == "********"
    assert revealed["services"][0]["endpoints"][0]["secret"] in (directory / ".arcctl" / "secrets.env").read_text()


def test_a_rendered_file_that_was_edited_fails_the_check_and_is_named(directory: Path) -> None:
    path = directory / "compose" / "base.yaml"
    before = path.read_text()
    path.write_text(before + "# edited\n")
    done = arcctl(directory, "render", "--check")
    assert (done.returncode, done.stderr) == (
        1,
        "error: out of date: compose/base.yaml\nhint: arcctl render\n",
    )
    assert arcctl(directory, "render").returncode == 0
    assert path.read_text() == before


def test_completion_offers_service_names_and_layers(directory: Path) -> None:
    words = {"_ARCCTL_COMPLETE": "complete_bash", "COMP_WORDS": "arcctl up ", "COMP_CWORD": "2"}
    offered = arcctl(directory, **words).stdout.split()
    assert set(offered) >= {*services.names(), "observability", "platform", "all"}
