"""Homes that are not as they should be: each ends in a sentence, an exit code and never a traceback.

The tests may run as root, whom permissions do not stop, so a folder stands in the place of a file and the reverse.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.stage import Done, Stage

DEAD = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n"


def _folder_for_a_file(path: str) -> Callable[[Path], None]:
    def spoil(home: Path) -> None:
        (home / path).unlink(missing_ok=True)
        (home / path).mkdir()

    return spoil


def _file_for_a_folder(path: str) -> Callable[[Path], None]:
    def spoil(home: Path) -> None:
        (home / path).rename(home / "aside")
        (home / path).touch()

    return spoil


def _text(path: str, text: str) -> Callable[[Path], None]:
    def spoil(home: Path) -> None:
        (home / path).write_text(text)

    return spoil


def _ends(stage: Stage, *words: str) -> Done:
    """The stage raises what is not foreseen, so coming back at all means that there was no traceback."""
    stage.docker.says("*", err=DEAD, code=1)
    return stage.arcctl(*words)


@pytest.mark.parametrize(
    ("spoil", "words", "message"),
    [
        (_folder_for_a_file(".arcctl/secrets.env"), ("init",), "{home}/.arcctl/secrets.env: is a directory"),
        (_folder_for_a_file(".arcctl/compose.env"), ("init",), "{home}/.arcctl/compose.env: is a directory"),
        (_file_for_a_folder(".arcctl"), ("init",), "{home}/.arcctl: file exists"),
        (_file_for_a_folder("config"), ("info",), "no arcctl home at {home}"),
        (_folder_for_a_file("compose/base.yaml"), ("render",), "{home}/compose/base.yaml: is a directory"),
        (
            _text("config/redis/.env", "A=1\nREDIS_HOST_PORT 1\n"),
            ("info",),
            "config/redis/.env, line 2: not of the form NAME=value",
        ),
        (
            _text(".arcctl/secrets.env", "REDIS_PASSWORD\n"),
            ("info",),
            "{home}/.arcctl/secrets.env, line 1: not of the form NAME=value",
        ),
        (
            _text("config/redis/.env", "LOKI_HOST_PORT=1\n"),
            ("config", "validate"),
            "config/redis/.env: unknown setting LOKI_HOST_PORT, did you mean REDIS_HOST_PORT?",
        ),
        (
            _text("config/redis/.env", "REDIS_HOST_PORT=70000\n"),
            ("config", "show"),
            "REDIS_HOST_PORT: input should be less than or equal to 65535",
        ),
    ],
    ids=[
        "folder for secrets",
        "folder for compose values",
        "file for the state",
        "file for the configuration",
        "folder for a rendered file",
        "broken line",
        "broken secrets",
        "foreign setting",
        "no port",
    ],
)
def test_what_is_wrong_with_a_home_is_named_and_exit_2(
    stage: Stage, spoil: Callable[[Path], None], words: tuple[str, ...], message: str
) -> None:
    spoil(stage.home)
    done = _ends(stage, *words)
    first, _, hint = done.err.partition("\n")
    assert (done.code, done.out, first) == (2, "", f"error: {message.format(home=stage.home)}")
    assert hint.startswith("hint: ")


def test_a_home_without_secrets_is_exit_2(stage: Stage) -> None:
    (stage.home / ".arcctl" / "secrets.env").unlink()
    done = _ends(stage, "info", "redis")
    assert (done.code, done.out, done.err.startswith("error: ")) == (2, "", True)


def test_init_in_a_file_is_refused(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    stage.home = file
    done = _ends(stage, "init")
    assert (done.code, done.err.endswith(f"hint: check who owns {file}: ls -la {file}\n")) == (2, True)


def test_init_leaves_edited_files_and_secrets_as_they_are(stage: Stage) -> None:
    edited = stage.home / "config" / "loki" / "config.yaml"
    edited.write_text("mine\n")
    secrets = (stage.home / ".arcctl" / "secrets.env").read_text()
    done = _ends(stage, "init")
    assert done == Done(0, "", f"home {stage.home}: all secrets were there\nnext: arcctl up\n")
    assert (edited.read_text(), (stage.home / ".arcctl" / "secrets.env").read_text()) == ("mine\n", secrets)


def test_no_file_of_a_home_but_the_private_ones_holds_a_secret(stage: Stage) -> None:
    values = [line.partition("=")[2] for line in (stage.home / ".arcctl" / "secrets.env").read_text().splitlines()]
    secrets = [value for value in values if value]
    public = [p for p in stage.home.rglob("*") if p.is_file() and ".arcctl" not in p.resolve().parts]
    assert len(public) > 30
    assert [p for p in public if any(secret in p.read_text(errors="replace") for secret in secrets)] == []


def test_no_command_that_looks_prints_a_secret(stage: Stage) -> None:
    text = (stage.home / ".arcctl" / "secrets.env").read_text()
    secrets = [line.partition("=")[2] for line in text.splitlines() if "=" in line]
    for words in (("info",), ("info", "--json"), ("config", "show"), ("config", "show", "--json"), ("doctor",)):
        done = _ends(stage, *words)
        assert [s for s in secrets if s in done.out + done.err] == []


@pytest.mark.parametrize(("words", "start"), [(("version",), "arcctl "), (("--version",), "arcctl ")])
def test_the_version_is_one_line_of_data_without_a_home(
    stage: Stage, tmp_path: Path, words: tuple[str, ...], start: str
) -> None:
    stage.home = tmp_path / "nowhere"
    done = _ends(stage, *words)
    assert (done.code, done.err, done.out.startswith(start), done.out.count("\n")) == (0, "", True, 1)
