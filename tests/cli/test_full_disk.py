"""Every command on a disk that refuses writes: one clear error, and every file as it was, also half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import settled
from tests.small_disk import PAGE, STATES, SmallDisk

WRITING = (
    "config set redis host_port 6400",
    "init",
    "service new shop",
    "support bundle",
    "secrets export --format docker --to exported",
)


@pytest.fixture
def on_disk(cli: CommandLine, small_disk: SmallDisk, request: pytest.FixtureRequest) -> CommandLine:
    """The project on a small disk; for `init` one of its secrets is missing."""
    project = settled(cli.directory, small_disk.path / "project")
    incomplete = "init" in request.node.callspec.params.values()
    if incomplete:
        secrets = project / ".arcctl" / "secrets.env"
        secrets.write_text("".join(secrets.read_text().splitlines(keepends=True)[:-1]))
    (project / "config" / "redis" / ".env").write_text("REDIS_HOST_PORT=6390\n")
    cli.directory = project
    cli.engine()
    if not incomplete:
        assert cli.arcctl("init").code == 0
    return cli


def _files(folder: Path) -> dict[str, bytes]:
    """The content of every file that is not a lock."""
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file() and p.name != "lock"}
    return {name: path.read_bytes() for name, path in found.items()}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("line", WRITING)
def test_a_command_that_writes_ends_with_one_error_and_the_old_files(
    on_disk: CommandLine, small_disk: SmallDisk, line: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(on_disk.directory)
    before = _files(on_disk.directory)
    STATES[state][0](small_disk)
    done = on_disk.arcctl(*line.split())
    assert (done.code, done.out) == (2, "")
    error, hint = done.err.splitlines()[-2:]
    assert error.startswith("error: ")
    assert error.endswith(STATES[state][1])
    assert Path(error.split(": ")[1]).resolve().is_relative_to(small_disk.path)
    assert hint.startswith("hint: see why it is read-only" if state == "read-only" else "hint: free space there")
    assert _files(on_disk.directory) == before


@pytest.mark.parametrize("line", WRITING)
def test_a_disk_that_fills_up_half_way_leaves_all_old_files_or_all_new_ones(
    on_disk: CommandLine, small_disk: SmallDisk, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some pages more at each attempt, until there is room for everything."""
    monkeypatch.chdir(on_disk.directory)
    states = [_files(on_disk.directory)]
    for pages in (0, 1, 2, 3, 4, 5, 8, 13, 21, 34, 55, 89, 500):
        small_disk.roomy()
        small_disk.fill(left=pages * PAGE)
        done = on_disk.arcctl(*line.split())
        if done.code == 0 or "already in use" in done.err:  # all that was missing is derived at the next command
            break
        assert "no space left on device" in done.err
        states.append(_files(on_disk.directory))
    assert "no space left on device" not in done.err
    assert len(states) > 1
    whole = (states[0], _files(on_disk.directory))
    assert {name for state in states for name in state if state[name] not in [w.get(name) for w in whole]} == set()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("line", ["health --json", "ps", "info", "env", "config show", "doctor"])
def test_a_command_that_only_reads_works(on_disk: CommandLine, small_disk: SmallDisk, line: str, state: str) -> None:
    wanted = on_disk.arcctl(*line.split())
    STATES[state][0](small_disk)
    done = on_disk.arcctl(*line.split())
    assert done.code == wanted.code or line == "doctor"
    assert "error:" not in done.err
