"""Project directories with files that are wrong: each ends in a message and an exit code, never in a traceback.

The tests may run as root, whom permissions do not stop, so a folder stands in the place of a file and the reverse.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine, Done

DEAD = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n"


def _folder_for_a_file(path: str) -> Callable[[Path], None]:
    def spoil(directory: Path) -> None:
        (directory / path).unlink(missing_ok=True)
        (directory / path).mkdir()

    return spoil


def _file_for_a_folder(path: str) -> Callable[[Path], None]:
    def spoil(directory: Path) -> None:
        (directory / path).rename(directory / "aside")
        (directory / path).touch()

    return spoil


def _text(path: str, text: str) -> Callable[[Path], None]:
    def spoil(directory: Path) -> None:
        (directory / path).write_text(text)

    return spoil


def _ends(cli: CommandLine, *words: str) -> Done:
    """The command line raises what is not foreseen, so coming back at all means that there was no traceback."""
    cli.docker.says("*", err=DEAD, code=1)
    return cli.arcctl(*words)


@pytest.mark.parametrize(
    ("spoil", "words", "message"),
    [
        (_folder_for_a_file(".arcctl/secrets.env"), ("init",), "{directory}/.arcctl/secrets.env: is a directory"),
        (_file_for_a_folder(".arcctl"), ("init",), "{directory}/.arcctl: not a directory"),
        (_file_for_a_folder("config"), ("info",), "no arcctl project at {directory}"),
        (_folder_for_a_file("compose/base.yaml"), ("render",), "{directory}/compose/base.yaml: is a directory"),
        (
            _text("config/redis/.env", "A=1\nREDIS_HOST_PORT 1\n"),
            ("info",),
            "config/redis/.env, line 2: not of the form NAME=value",
        ),
        (
            _text(".arcctl/secrets.env", "REDIS_PASSWORD\n"),
            ("info",),
            "{directory}/.arcctl/secrets.env, line 1: not of the form NAME=value",
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
        "file for the state",
        "file for the configuration",
        "folder for a rendered file",
        "broken line",
        "broken secrets",
        "foreign setting",
        "no port",
    ],
)
def test_what_is_wrong_with_a_project_is_named_and_exit_2(
    cli: CommandLine, spoil: Callable[[Path], None], words: tuple[str, ...], message: str
) -> None:
    spoil(cli.directory)
    done = _ends(cli, *words)
    first, _, hint = done.err.partition("\n")
    assert (done.code, done.out, first) == (2, "", f"error: {message.format(directory=cli.directory)}")
    assert hint.startswith("hint: ")


def test_a_project_without_secrets_is_exit_2(cli: CommandLine) -> None:
    (cli.directory / ".arcctl" / "secrets.env").unlink()
    done = _ends(cli, "info", "redis")
    assert (done.code, done.out, done.err.startswith("error: ")) == (2, "", True)


def test_init_in_a_file_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    cli.directory = file
    done = _ends(cli, "init")
    assert (done.code, done.err.endswith(f"hint: check who owns {file}: ls -la {file}\n")) == (2, True)


def test_init_leaves_edited_files_and_secrets_as_they_are(cli: CommandLine) -> None:
    edited = cli.directory / "config" / "loki" / "config.yaml"
    edited.write_text("mine\n")
    secrets = (cli.directory / ".arcctl" / "secrets.env").read_text()
    done = _ends(cli, "init")
    assert done == Done(0, "", f"project {cli.directory}: secrets exist already\nnext: arcctl up\n")
    assert (edited.read_text(), (cli.directory / ".arcctl" / "secrets.env").read_text()) == ("mine\n", secrets)


def test_no_file_of_a_project_but_the_private_ones_holds_a_secret(cli: CommandLine) -> None:
    values = [line.partition("=")[2] for line in (cli.directory / ".arcctl" / "secrets.env").read_text().splitlines()]
    secrets = [value for value in values if value]
    public = [p for p in cli.directory.rglob("*") if p.is_file() and ".arcctl" not in p.resolve().parts]
    assert len(public) > 30
    assert [p for p in public if any(secret in p.read_text(errors="replace") for secret in secrets)] == []


def test_no_command_that_looks_prints_a_secret(cli: CommandLine) -> None:
    text = (cli.directory / ".arcctl" / "secrets.env").read_text()
    secrets = [line.partition("=")[2] for line in text.splitlines() if "=" in line]
    for words in (("info",), ("info", "--json"), ("config", "show"), ("config", "show", "--json"), ("doctor",)):
        done = _ends(cli, *words)
        assert [s for s in secrets if s in done.out + done.err] == []


@pytest.mark.parametrize(("words", "start"), [(("version",), "arcctl "), (("--version",), "arcctl ")])
def test_the_version_is_one_line_of_data_without_a_project(
    cli: CommandLine, tmp_path: Path, words: tuple[str, ...], start: str
) -> None:
    cli.directory = tmp_path / "nowhere"
    done = _ends(cli, *words)
    assert (done.code, done.err, done.out.startswith(start), done.out.count("\n")) == (0, "", True, 1)
