"""What runs is known by what runs, not by a file beside it. With a real supervisor and programs that sleep."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.engines.embedded import processes
from arcctl.engines.embedded.layout import start_script
from arcctl.engines.embedded.supervisor import Supervised, Supervisor
from arcctl.errors import EngineError

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # httpcore leaves a refused socket open


def _program(base: Path, key: str) -> Supervised:
    folder = base / "run" / key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "start").write_text(start_script(folder, (), "sleep 600"))
    return Supervised(key=key, start=folder / "start", priority=1, stop_signal="TERM", grace=5, init=False)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """Two programs run. The path of its socket has to be short."""
    monkeypatch.setattr("arcctl.engines.embedded.supervisor.LEFT_SECONDS", 1.5)
    with tempfile.TemporaryDirectory(prefix="arc-") as folder:
        found = Supervisor(Path(folder))
        programs = {key: _program(found.base, key) for key in ("one", "two")}
        found.ensure(programs)
        for key in programs:
            found.start(key)
        _wait_for(found, 2)
        try:
            yield found
        finally:
            found.sweep()
            gc.collect()  # the open sockets, while a warning of them is ignored


def _wait_for(supervisor: Supervisor, count: int) -> None:
    end = time.monotonic() + 10
    while len(supervisor.running()) != count and time.monotonic() < end:
        time.sleep(0.02)
    assert len(supervisor.running()) == count


def _start_instead(supervisor: Supervisor, key: str, command: str) -> None:
    folder = supervisor.base / "run" / key
    (folder / "start").write_text(start_script(folder, (), command))
    supervisor.stop((key,))
    supervisor.start(key)
    _wait_for(supervisor, 2)


def _kill(supervisor: Supervisor) -> None:
    (pid,) = processes.supervisors(supervisor.base)
    os.kill(pid, signal.SIGKILL)
    processes.wait_ended([pid])


def test_without_its_socket_a_supervisor_and_its_servers_are_still_seen(supervisor: Supervisor) -> None:
    (supervisor.base / "s").unlink()
    assert supervisor.processes() is None
    assert set(supervisor.running()) == {"one", "two"}
    assert len(processes.supervisors(supervisor.base)) == 1


@pytest.mark.parametrize("lost", ["s", "supervisor.pid", "run/one/pid"])
def test_everything_is_ended_whichever_file_is_lost(supervisor: Supervisor, lost: str) -> None:
    ran = supervisor.running().values()
    (supervisor.base / lost).unlink()
    (supervisor.base / "s").unlink(missing_ok=True)
    supervisor.shutdown()
    assert processes.supervisors(supervisor.base) == {}
    assert [pid for pid in ran if processes.runs(pid)] == []


def test_a_supervisor_that_hangs_is_ended(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcctl.engines.embedded.supervisor.CALL_SECONDS", 0.2)
    (pid,) = processes.supervisors(supervisor.base)
    os.kill(pid, signal.SIGSTOP)
    assert supervisor.processes() is None
    supervisor.shutdown()
    assert (supervisor.running(), processes.runs(pid)) == ({}, False)


def test_a_supervisor_that_is_slow_is_waited_for(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example on a machine under load."""
    monkeypatch.setattr("arcctl.engines.embedded.supervisor.CALL_SECONDS", 1.0)
    (pid,), ran = processes.supervisors(supervisor.base), supervisor.running()
    os.kill(pid, signal.SIGSTOP)
    slow = threading.Timer(1.5, os.kill, (pid, signal.SIGCONT))
    slow.start()
    supervisor.ensure({key: _program(supervisor.base, key) for key in ran})
    slow.join()
    assert ([*processes.supervisors(supervisor.base)], supervisor.running()) == ([pid], ran)


def test_another_is_started_as_soon_as_one_that_is_ending_has_ended(supervisor: Supervisor) -> None:
    _start_instead(supervisor, "one", "sh -c \"trap 'sleep 2; exit' TERM; sleep 600 & wait\"")
    (old,) = processes.supervisors(supervisor.base)
    os.kill(old, signal.SIGTERM)
    end = time.monotonic() + 2
    while supervisor.processes() is not None and time.monotonic() < end:
        time.sleep(0.02)
    assert (supervisor.is_lost(), processes.runs(old)) == (True, True)
    supervisor.ensure({})
    assert (supervisor.processes(), processes.runs(old)) == ({}, False)


def test_what_a_new_configuration_does_not_have_is_stopped_however_long_that_takes(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcctl.engines.embedded.supervisor.CALL_SECONDS", 1.0)
    programs = {key: _program(supervisor.base, key) for key in ("one", "two")}
    _start_instead(supervisor, "one", "sh -c \"trap 'kill \\$!; sleep 2; exit' TERM; sleep 600 & wait\"")
    supervisor.ensure({"two": programs["two"]})
    assert set(supervisor.running()) == {"two"}


def test_one_that_never_answers_is_lost_and_what_its_end_waits_for_is_said(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcctl.engines.embedded.supervisor.CALL_SECONDS", 0.1)
    (pid,) = processes.supervisors(supervisor.base)
    told: list[str] = []
    os.kill(pid, signal.SIGSTOP)
    assert supervisor.is_lost(told.append)
    supervisor.sweep(told.append)
    assert told == [
        "the supervisor does not answer: asking it for up to 0 s more",
        f"waiting for the supervisor (pid {pid}) to stop its servers, for up to 90 s",
    ]
    assert supervisor.running() == {}


def test_no_second_supervisor_is_started_beside_one_without_a_socket(supervisor: Supervisor) -> None:
    (old,) = processes.supervisors(supervisor.base)
    (supervisor.base / "s").unlink()
    supervisor.ensure({})
    (new,) = processes.supervisors(supervisor.base)
    assert (processes.runs(old), supervisor.processes()) == (False, {})
    assert new != old


def test_servers_of_a_killed_supervisor_are_known_after_the_clock_was_changed(supervisor: Supervisor) -> None:
    ran = supervisor.running()
    for key in ran:
        os.utime(supervisor.base / "run" / key / "pid", (0, 0))
    _kill(supervisor)
    assert supervisor.running() == ran
    supervisor.shutdown()
    assert [pid for pid in ran.values() if processes.runs(pid)] == []


def test_another_process_with_the_same_pid_is_not_taken_for_a_server(supervisor: Supervisor) -> None:
    with subprocess.Popen(("sleep", "600"), cwd=supervisor.base / "run") as other:
        file = supervisor.base / "run" / "one" / "pid"
        file.write_text(f"{other.pid}\n")
        assert set(supervisor.running()) == {"two"}
        file.with_name(processes.IDENTITY).write_text("not what it was\n")
        assert set(supervisor.running()) == {"one", "two"}  # by its folder
        other.kill()


def test_a_pid_is_moved_into_place_and_its_file_never_empty(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("1\n")
    (tmp_path / "before").hardlink_to(tmp_path / "pid")
    subprocess.run(("sh", "-c", start_script(tmp_path, (), "true")), check=True)
    assert (tmp_path / "before").read_text() == "1\n"
    assert int((tmp_path / "pid").read_text()) > 1


def test_each_start_notes_how_long_the_log_was(tmp_path: Path) -> None:
    folder, log = tmp_path / "my run" / "one", tmp_path / "log" / "one.log"
    folder.mkdir(parents=True)
    log.parent.mkdir()
    for text in (None, "", "a line of 19 bytes\n"):
        if text is not None:
            log.write_text(text)
        subprocess.run(("sh", "-c", start_script(folder, (), "true")), check=True)
    assert [line.split()[1] for line in (folder / "starts").read_text().splitlines()] == ["0", "0", "19"]


def test_servers_of_an_older_arcctl_are_known_by_their_folder(supervisor: Supervisor) -> None:
    for key in supervisor.running():
        (supervisor.base / "run" / key / processes.IDENTITY).unlink()
    assert set(supervisor.running()) == {"one", "two"}
    (supervisor.base / "run" / "one" / "pid").write_text(f"{os.getpid()}\n")
    assert set(supervisor.running()) == {"two"}


def test_a_copy_of_a_project_does_not_take_the_servers_for_its_own(supervisor: Supervisor, tmp_path: Path) -> None:
    ran, copy = supervisor.running(), Supervisor(tmp_path / "copy")
    shutil.copytree(supervisor.base / "run", copy.base / "run")
    assert copy.running() == {}
    copy.shutdown()
    assert supervisor.running() == ran


def test_servers_of_a_renamed_folder_are_still_known(supervisor: Supervisor) -> None:
    ran, base = supervisor.running(), supervisor.base
    renamed = Supervisor(base.rename(f"{base}-renamed"))
    try:
        assert renamed.running() == ran
    finally:
        renamed.base.rename(base)


def test_the_supervisor_of_a_renamed_folder_is_ended_and_another_one_started(supervisor: Supervisor) -> None:
    (old,), ran, base = processes.supervisors(supervisor.base), supervisor.running().values(), supervisor.base
    assert not supervisor.is_lost()
    renamed = Supervisor(base.rename(f"{base}-renamed"))
    told: list[str] = []
    try:
        assert renamed.is_lost(told.append)
        assert told == ["the project directory was renamed while its servers ran: they are stopped and started again"]
        renamed.ensure({key: _program(renamed.base, key) for key in ("one", "two")})
        assert [pid for pid in (old, *ran) if processes.runs(pid)] == []
        renamed.start("one")
        _wait_for(renamed, 1)
        assert not renamed.is_lost()
    finally:
        renamed.sweep()
        renamed.base.rename(base)


def test_what_a_supervisor_refuses_is_said_with_the_next_command(supervisor: Supervisor) -> None:
    (supervisor.base / "supervisor.conf").unlink()
    with pytest.raises(EngineError, match=r"refuses a call: CANT_REREAD: .*conf") as caught:
        supervisor.call("reloadConfig")
    assert caught.value.hint == "arcctl down, then arcctl up"


def test_servers_are_ended_although_their_folder_was_removed(supervisor: Supervisor) -> None:
    ran = supervisor.running().values()
    shutil.rmtree(supervisor.base)
    assert processes.supervisors(supervisor.base)
    supervisor.base.mkdir()
    supervisor.shutdown()
    assert [pid for pid in ran if processes.runs(pid)] == []


def test_what_is_left_in_its_folder_is_named(supervisor: Supervisor) -> None:
    """For example a server that nothing remembers any more."""
    with subprocess.Popen(("sleep", "600"), cwd=supervisor.base / "run" / "one", start_new_session=True) as left:
        with pytest.raises(EngineError) as caught:
            supervisor.shutdown()
        assert caught.value.message == f"still running in {supervisor.base}: sleep (pid {left.pid})"
        assert caught.value.hint == f"see what they are: ps -fp '{left.pid}', and end them: kill {left.pid}"
        left.kill()
    supervisor.shutdown()


def test_nothing_is_started_while_a_process_that_no_file_names_runs(supervisor: Supervisor) -> None:
    ran = supervisor.running()
    _kill(supervisor)
    shutil.rmtree(supervisor.base / "run")
    with pytest.raises(EngineError, match=r"still running in .*: sleep \(pid") as caught:
        supervisor.ensure({"one": _program(supervisor.base, "one")})
    assert all(str(pid) in caught.value.hint for pid in ran.values())
    assert processes.supervisors(supervisor.base) == {}
    processes.end([*ran.values()])
    supervisor.ensure({})
    assert supervisor.processes() == {}


def test_what_ends_a_moment_after_its_server_is_waited_for(supervisor: Supervisor) -> None:
    _start_instead(supervisor, "one", "sh -c 'setsid sleep 1 & exec sleep 600'")
    _kill(supervisor)
    supervisor.sweep()
    assert processes.working_below(supervisor.base) == {}


def test_what_cannot_be_ended_is_named_wherever_it_works(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a server need not be the one that it was started in."""
    _start_instead(supervisor, "one", "sh -c 'cd / && exec sleep 600'")
    ran = supervisor.running()
    _kill(supervisor)
    with monkeypatch.context() as patch:
        patch.setattr(processes, "end", lambda pids, seconds=0.0: None)
        with pytest.raises(EngineError) as caught:
            supervisor.shutdown()
    named = caught.value.message.partition(": ")[2].split(", ")
    assert set(named) == {f"one (pid {ran['one']})", f"sleep (pid {ran['two']})"}
