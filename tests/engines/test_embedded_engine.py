"""What the embedded engine says of processes, and that it deletes nothing under one that runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl.diagnostics.clients.embedded import report
from arcctl.engines.embedded import engine as embedded
from arcctl.engines.embedded import location
from arcctl.engines.embedded.engine import EmbeddedEngine
from arcctl.engines.embedded.supervisor import ProcessState, Supervisor
from arcctl.errors import EngineError, FileDamaged
from arcctl.model.binaries import OnPath
from arcctl.model.service import Process
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import STORE, TOY, StoreEnv, catalogue


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedEngine:
    """Its files are in the folder `base`."""
    monkeypatch.setattr(location, "base", lambda directory: tmp_path / "base")
    monkeypatch.setattr("arcctl.engines.embedded.supervisor.LEFT_SECONDS", 0.5)
    monkeypatch.setenv("ARCCTL_CACHE", str(tmp_path / "cache"))
    process: Process[StoreEnv] = Process(sources=(OnPath(name="sh", program="sh"),), command=lambda env: ("{program}",))
    return EmbeddedEngine(catalogue(replace(STORE, process=process)), ProjectDirectory(tmp_path))


@pytest.mark.parametrize(
    ("now", "state", "changed"),
    [
        (ProcessState(pid=1), "running", (embedded.FILES_GONE,)),
        (ProcessState(pid=1, supervised=False), "running", (embedded.FILES_GONE, embedded.UNSUPERVISED)),
        (ProcessState(pid=0, state="restarting", exit_code=7), "restarting", (embedded.FILES_GONE,)),
        (ProcessState(pid=0, state="exited"), "absent", ()),
    ],
)
def test_what_runs_is_observed_also_where_its_files_are_gone(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, now: ProcessState, state: str, changed: tuple[str, ...]
) -> None:
    monkeypatch.setattr(Supervisor, "observe", lambda self: {"store": now})
    found = engine.observe().of("store")
    assert (found.state, found.changed, found.exit_code) == (state, changed, now.exit_code)


@pytest.mark.parametrize("renamed", [False, True])
def test_what_ran_before_the_project_was_renamed_is_ended(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: bool
) -> None:
    (tmp_path / "base").mkdir()
    monkeypatch.setattr(Supervisor, "call", lambda self, method, *arguments: [])
    monkeypatch.setattr(Supervisor, "is_renamed", lambda self: renamed)
    monkeypatch.setattr(Supervisor, "running", lambda self: {"store": 0})
    monkeypatch.setattr(Supervisor, "sweep", lambda self, tell: None)
    assert engine.recover() == (("store",) if renamed else ())


def test_what_no_file_names_is_named_before_anything_is_started(engine: EmbeddedEngine, tmp_path: Path) -> None:
    data = tmp_path / "base" / "data" / "store_data"
    data.mkdir(parents=True)
    with subprocess.Popen(("sleep", "600"), cwd=data, start_new_session=True) as left:
        with pytest.raises(EngineError, match=rf"still running in .*: sleep \(pid {left.pid}\)"):
            engine.recover()
        found = report(engine, ProjectDirectory(tmp_path), TOY)
        left.kill()
    assert (found.supervisor, found.outlived) == ("gone", (left.pid,))
    assert engine.recover() == ()


@pytest.mark.parametrize("volumes", [False, True])
def test_nothing_is_deleted_under_a_process_that_runs(engine: EmbeddedEngine, tmp_path: Path, volumes: bool) -> None:
    run, data = tmp_path / "base" / "run" / "store", tmp_path / "base" / "data" / "store_data"
    for folder in (run, data):
        folder.mkdir(parents=True)
    with subprocess.Popen(("sleep", "600"), cwd=data, start_new_session=True) as left:
        with pytest.raises(EngineError, match=rf"still running in .*: sleep \(pid {left.pid}\)"):
            engine.down(volumes=volumes)
        assert (run.is_dir(), data.is_dir()) == (True, True)
        left.kill()
    engine.down(volumes=volumes)
    assert (run.is_dir(), data.is_dir()) == (False, not volumes)


def test_who_asks_what_is_left_is_not_left(tmp_path: Path) -> None:
    code = "from pathlib import Path; " + (
        "from arcctl.engines.embedded import processes; print(processes.working_below(Path.cwd()))"
    )
    command = ("sh", "-c", '"$0" -c "$1"; true', sys.executable, code)
    with subprocess.Popen(("sleep", "600"), cwd=tmp_path, start_new_session=True) as other:
        done = subprocess.run(command, cwd=tmp_path, start_new_session=True, capture_output=True, text=True, check=True)
        other.kill()
    assert done.stdout == f"{{{other.pid}: 'sleep'}}\n"


def test_a_damaged_record_is_as_none_and_is_told_to_doctor(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "base/run/store/process.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"hash": "x"} trailing')
    monkeypatch.setattr(Supervisor, "observe", lambda self: {"store": ProcessState(pid=1)})
    assert engine.observe().of("store").changed == (embedded.FILES_GONE,)
    assert [(str(record) in e.message, e.hint.partition(",")[0]) for e in engine.damaged()] == [
        (True, "arcctl up store")
    ]
    record.write_text('{"hash": "x"}')
    assert (engine.observe().of("store").config_hash, list(engine.damaged())) == ("x", [])


def test_values_that_were_written_for_compose_and_are_incomplete_are_named(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    ProjectDirectory(tmp_path).write_private({ProjectDirectory(tmp_path).compose_env: "STORE_HOST_PORT=x\n"})
    with pytest.raises(FileDamaged, match=r"compose\.env: STORE_") as caught:
        engine.observe()
    assert caught.value.hint.startswith("arcctl init")
