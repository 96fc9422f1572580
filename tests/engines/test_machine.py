"""What is asked of the system, about processes that run now; of macOS what can be tried elsewhere."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from arcctl.engines import machine
from arcctl.engines.embedded import processes
from arcctl.engines.embedded.layout import start_script


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(("sleep", "600"), cwd=tmp_path, start_new_session=True) as child:
        yield child
        child.kill()


def test_a_process_is_known_by_its_pid(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert machine.process(sleeper.pid) == machine.Process("sleep", False, os.getpid(), False)
    assert machine.folder(sleeper.pid) == tmp_path
    assert machine.command(sleeper.pid) == ["sleep", "600"]
    assert Path(machine.program(sleeper.pid)).name in ("sleep", "coreutils", "busybox")
    assert sleeper.pid in machine.pids()


def test_one_that_a_signal_stopped_is_frozen(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.send_signal(signal.SIGSTOP)
    os.waitpid(sleeper.pid, os.WUNTRACED)
    assert processes.frozen(sleeper.pid)


def test_one_that_has_ended_is_not_there_although_nobody_asked_for_its_result() -> None:
    with subprocess.Popen(("sleep", "600")) as child:
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert machine.process(child.pid) is None
    assert (machine.process(child.pid), machine.command(child.pid), machine.program(child.pid)) == (None, [], "")


def test_a_start_is_another_for_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    assert machine.start(sleeper.pid) == machine.start(sleeper.pid) != machine.start(os.getpid())
    assert machine.start(2**22 + 1) == ()


def test_the_listener_is_found_also_where_only_root_may_ask_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(kind: str) -> None:
        raise psutil.AccessDenied

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert machine.listener(port) == os.getpid()
        monkeypatch.setattr(psutil, "net_connections", refused)
        assert machine.listener(port) == os.getpid()
    assert machine.listener(port) == 0


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module as it is on macOS. Only what both systems have can be tried with it."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        yield importlib.reload(machine)
    importlib.reload(machine)


def test_elsewhere_a_process_is_told_from_a_later_one_without_proc(macos: ModuleType, tmp_path: Path) -> None:
    (folder := tmp_path / "run" / "one").mkdir(parents=True)
    script = start_script(folder, (), "sleep 600")
    assert "/proc" not in script
    with subprocess.Popen(("sh", "-c", script)) as child:
        while processes.running(folder / "pid") != child.pid:
            assert child.poll() is None
        noted = (folder / processes.IDENTITY).read_text()
        (folder / processes.IDENTITY).write_text(noted.replace(":", ";"))
        assert processes.running(folder / "pid") == 0
        child.kill()


def test_elsewhere_paths_of_sockets_are_shorter_and_the_loopback_has_another_name(macos: ModuleType) -> None:
    assert (macos.SOCKET_PATH, macos.WORDS["{loopback}"], macos.windows_subsystem()) == (103, "lo0", False)


def test_a_start_script_works_where_the_system_says_nothing_of_processes(tmp_path: Path) -> None:
    script = start_script(tmp_path, (), "true").replace("/proc/", "/nowhere/")
    subprocess.run(("sh", "-c", script), check=True)
    assert not (tmp_path / processes.IDENTITY).exists() or not (tmp_path / processes.IDENTITY).read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux names the longest path")
def test_a_socket_can_have_the_longest_path_and_none_that_is_longer() -> None:
    for length, fits in ((machine.SOCKET_PATH, True), (machine.SOCKET_PATH + 1, False)):
        with socket.socket(socket.AF_UNIX) as server:
            try:
                server.bind("/tmp/" + "x" * (length - 5))
            except OSError:
                assert not fits
            else:
                Path(server.getsockname()).unlink()
                assert fits
