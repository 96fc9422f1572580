"""Local processes: which run, which project they belong to whoever started them, and how to end them.

What is asked of the system is read from `/proc`, so that it is known also without the packages of the embedded engine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from arcctl.engines.embedded.location import owner

PROC = Path("/proc")
GRACE_SECONDS = 10.0
"""Time between the stop signal and the kill."""
IDENTITY = "identity"
"""The file beside a pid file with what tells its process from a later one with the same pid."""
SUPERVISOR = "supervisor.supervisord"
"""The module of the daemon, as its command line has it."""


class _Status(NamedTuple):
    """What the system says of a process."""

    name: str
    state: str
    """One letter, as `ps` shows it."""
    parent: int
    has_terminal: bool
    start: str
    """In ticks since the machine was started."""


def _status(pid: int) -> _Status | None:
    """None where it has ended, also where its parent did not notice yet."""
    try:
        before, _, after = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")
    except OSError:
        return None
    state, parent, _, _, terminal, *others = after.split()
    if state in "ZX":
        return None
    return _Status(before.partition("(")[2], state, int(parent), terminal != "0", others[14])


def runs(pid: int) -> bool:
    return _status(pid) is not None


def frozen(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    found = _status(pid)
    return found is not None and found.state == "T"


def running(pid_file: Path) -> int:
    """The pid in a file while the process that wrote it runs, else 0.

    What tells it from a later one with the same pid does not move with the clock: its start in ticks since the machine
    started, and the id of that start of the machine. Where those are not known, or were written in another folder (the
    project was renamed, or this is a copy of it), it is where the process works.
    """
    try:
        pid = int(pid_file.read_text())
    except (ValueError, OSError):
        return 0
    folder, recorded = _identity_in(pid_file.with_name(IDENTITY))
    same = recorded is None or recorded == _identity(pid)
    here = folder == str(pid_file.parent) or (same and pid in working_below(pid_file.parents[2]))
    return pid if same and here and runs(pid) else 0


def _identity_in(file: Path) -> tuple[str, tuple[str, str] | None]:
    """The folder, and what is made of the id of the machine's start and the fields of a process after its name."""
    try:
        first, folder, *_ = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        boot, *fields = first.split()
        return folder, (boot, fields[19])
    except (OSError, ValueError, IndexError):
        return "", None


def _identity(pid: int) -> tuple[str, str] | None:
    found = _status(pid)
    try:
        return ((PROC / "sys/kernel/random/boot_id").read_text().strip(), found.start) if found else None
    except OSError:
        return None


def working_below(folder: Path) -> dict[int, str]:
    """The names of processes without a terminal whose current folder is this one or one below it, by their pids.

    Without this one and those that called it.
    """
    here, callers = folder.resolve(), {*_callers()}
    there = (pid for pid in _pids() if pid not in callers and _folder(pid).is_relative_to(here))
    found = {pid: status for pid in there if (status := _status(pid))}
    return {pid: status.name for pid, status in found.items() if not status.has_terminal}


def _callers() -> Iterator[int]:
    """This process, the one that started it, and so on."""
    pid = os.getpid()
    while status := _status(pid):
        yield pid
        pid = status.parent


def supervisors(base: Path) -> dict[int, Path]:
    """The supervisors that work in this folder, with the configuration of each.

    They are there also where their socket is gone.
    """
    words = {pid: _command(pid).split("\0") for pid in working_below(base)}
    return {pid: Path(found[found.index("-c") + 1]) for pid, found in words.items() if {SUPERVISOR, "-c"} <= {*found}}


def project(pid: int) -> str:
    """The project directory of a server, which works in a folder of that project; empty for any other process."""
    folder = _folder(pid)
    bases = (above.parent for above in (folder, *folder.parents) if above.name in ("run", "data"))
    return next(filter(None, map(owner, bases)), "")


def running_from(folder: Path) -> dict[int, str]:
    """The processes whose program or files are in a folder, each with its project directory where it has one."""
    return {pid: project(pid) for pid in _pids() if f"{folder}/" in f"{_link(pid, 'exe')}\0{_command(pid)}"}


def _pids() -> Iterator[int]:
    yield from (int(path.name) for path in PROC.glob("[0-9]*"))


def _folder(pid: int) -> Path:
    return Path(_link(pid, "cwd").removesuffix(" (deleted)"))


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(PROC / str(pid) / name)
    except OSError:  # it has ended, or belongs to another user
        return ""


def _command(pid: int) -> str:
    """The words of its command line, each with a zero byte after it."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="surrogateescape")
    except OSError:
        return ""


def end(pids: list[int], seconds: float = GRACE_SECONDS) -> None:
    """End process groups, each named by the process that leads it; kill those that take longer than `seconds`."""
    _signal(pids, signal.SIGCONT)
    _signal(pids, signal.SIGTERM)
    _signal(wait_ended(pids, seconds), signal.SIGKILL)
    wait_ended(pids)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)


def wait_ended(pids: list[int], seconds: float = GRACE_SECONDS) -> list[int]:
    """Those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
