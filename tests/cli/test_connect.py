"""`env` and `run`: variables for people's own programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arcctl.ui.connection import Format, text
from tests.cli.stage import Stage

PROGRAM = str(Path(sys.executable).parent / "arcctl")
HOSTILE = "a b'c\"d$(touch never)`x`\\ #;\n*"


def _secret(stage: Stage, name: str) -> str:
    lines = (stage.home / ".arcctl" / "secrets.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)[name]


def test_env_tells_the_services_named_in_each_format(stage: Stage) -> None:
    password = _secret(stage, "REDIS_PASSWORD")
    url = f"redis://:{password}@127.0.0.1:6379/0"
    assert stage.arcctl("env", "redis").out == f"export REDIS_URL={url}\n"
    assert stage.arcctl("env", "redis", "--format", "dotenv").out == f"REDIS_URL={url}\n"
    assert json.loads(stage.arcctl("env", "redis", "--format", "json", "--for", "container").out) == {
        "schema": "arcctl.env/v1",
        "for": "container",
        "variables": {"REDIS_URL": f"redis://:{password}@redis:6379/0"},
    }
    assert stage.docker.calls == []


def test_env_of_a_service_that_has_no_variable_is_empty_and_fine(stage: Stage) -> None:
    done = stage.arcctl("env", "traefik")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("env", "redsi"), "error: unknown service 'redsi'\nhint: did you mean redis?\n"),
        (("env", "--for", "moon"), "'moon' is not one of 'host', 'container'"),
        (("env", "--format", "yaml"), "'yaml' is not one of 'sh', 'dotenv', 'json'"),
        (("run",), "Missing argument '[--] CMD...'"),
        (("run", "no-such-program"), "error: no program 'no-such-program' on the PATH\n"),
    ],
)
def test_bad_words_are_refused(stage: Stage, words: tuple[str, ...], said: str) -> None:
    done = stage.arcctl(*words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_what_a_shell_evaluates_is_never_more_than_a_value() -> None:
    script = text({"ODD": HOSTILE, "NEXT": "1"}, "host", Format.SH) + '\nprintf %s "$ODD$NEXT"'
    assert subprocess.run(("sh", "-c", script), capture_output=True, text=True, check=True).stdout == HOSTILE + "1"


def test_an_odd_value_comes_back_from_a_dotenv_file_as_it_was(tmp_path: Path) -> None:
    from dotenv import dotenv_values

    (tmp_path / ".env").write_text(text({"ODD": HOSTILE, "NEXT": "1"}, "host", Format.DOTENV) + "\n")
    assert dotenv_values(tmp_path / ".env", interpolate=False) == {"ODD": HOSTILE, "NEXT": "1"}


def _run(stage: Stage, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": stage.docker.path, "ARCCTL_HOME": str(stage.home), "ARCCTL_ENGINE": "docker"}
    return subprocess.run(
        (PROGRAM, "run", *words), env=environment, input=given, capture_output=True, text=True, check=False
    )


def test_run_hands_on_the_variables_the_streams_and_the_exit_code(stage: Stage) -> None:
    done = _run(stage, "--", "sh", "-c", 'cat; echo "$REDIS_URL"; echo "$ARCCTL_HOME" >&2; exit 7', given="in ")
    url = f"redis://:{_secret(stage, 'REDIS_PASSWORD')}@127.0.0.1:6379/0"
    assert (done.returncode, done.stdout, done.stderr) == (7, f"in {url}\n", f"{stage.home}\n")


def test_run_leaves_the_options_of_the_program_to_it(stage: Stage) -> None:
    assert _run(stage, "printf", "%s", "--help", "--json").stdout == "--help--json"


def test_a_program_in_run_ends_at_a_broken_pipe_as_it_would_alone(stage: Stage) -> None:
    done = _run(stage, "sh", "-c", "yes | head -1; kill -TERM $$")
    assert (done.returncode, done.stdout, done.stderr) == (-15, "y\n", "")


def test_a_file_that_is_no_program_is_said_so(stage: Stage) -> None:
    broken = stage.home / "broken"
    broken.write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)
    done = _run(stage, str(broken))
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: {broken} does not start: exec format error")
