"""Programs run beside a server: what they get, what comes back, and what a process list shows of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcctl.errors import EngineError
from arcctl.runtime.docker import DockerEngine
from arcctl.runtime.execution import execute
from tests.core.toy import TOY
from tests.fake_docker import FakeDocker

SECRET = "s3ntinel-value"
SHELL = {"PATH": "/bin:/usr/bin"}


def test_docker_is_told_the_name_of_a_secret_and_not_its_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = FakeDocker(tmp_path / "bin")
    docker.says("exec *", "2\n", err="a notice\n", code=3)
    monkeypatch.setenv("PATH", docker.path)
    engine = DockerEngine(TOY, [tmp_path / "base.yaml"], tmp_path / "compose.env")
    done = engine.execute("store", ("client", "-c", "1 + 1"), environment={"PASSWORD": SECRET})
    assert docker.calls == ["exec --interactive --env PASSWORD arc_store client -c 1 + 1"]
    assert (done.code, done.stdout, done.stderr) == (3, b"2\n", "a notice")


def test_streams_that_are_handed_in_are_used(tmp_path: Path) -> None:
    (tmp_path / "in").write_text(SECRET)
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        done = execute(("cat",), SHELL, stdin=stdin, stdout=stdout, terminal=False)
    assert (done.code, done.stdout, (tmp_path / "out").read_text()) == (0, b"", SECRET)


def test_a_program_without_input_meets_its_end_and_does_not_wait() -> None:
    assert execute(("cat",), SHELL, stdin=None, stdout=None, terminal=False).stdout == b""


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineError, match="the program no-such-client is not here"):
        execute(("no-such-client",), SHELL, stdin=None, stdout=None, terminal=False)
