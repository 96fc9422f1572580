"""Programs of a component: their input, their result, and what a process list shows of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.execution import execute
from arcctl.errors import EngineError
from tests.fakes.catalogue import TOY
from tests.fakes.docker import FakeDocker

SECRET = "s3ntinel-value"
SHELL = {"PATH": "/bin:/usr/bin"}


def test_docker_gets_the_name_of_a_secret_and_not_its_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = FakeDocker(tmp_path / "bin")
    docker.says("exec *", "2\n", err="a notice\n", code=3)
    monkeypatch.setenv("PATH", docker.path)
    engine = DockerEngine(TOY, [tmp_path / "base.yaml"], tmp_path / "compose.env")
    done = engine.execute("store", ("client", "-c", "1 + 1"), environment={"PASSWORD": SECRET})
    assert docker.calls == ["exec --interactive --env PASSWORD arc_store client -c 1 + 1"]
    assert (done.code, done.stdout, done.stderr) == (3, b"2\n", "a notice")


def test_given_streams_are_used(tmp_path: Path) -> None:
    (tmp_path / "in").write_text(SECRET)
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        done = execute(("cat",), SHELL, stdin=stdin, stdout=stdout, terminal=False)
    assert (done.code, done.stdout, (tmp_path / "out").read_text()) == (0, b"", SECRET)


def test_a_program_without_input_does_not_wait_for_any() -> None:
    assert execute(("cat",), SHELL, stdin=None, stdout=None, terminal=False).stdout == b""


def test_a_missing_program_is_named() -> None:
    with pytest.raises(EngineError, match="the program no-such-client is not installed"):
        execute(("no-such-client",), SHELL, stdin=None, stdout=None, terminal=False)
