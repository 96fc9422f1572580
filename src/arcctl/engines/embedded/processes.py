"""Local processes: which run, which project they belong to whoever started them, and how to end them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from arcctl.engines import machine
from arcctl.engines.embedded.location import owner

GRACE_SECONDS = 10.0
"""Time between the stop signal and the kill."""
IDENTITY = "identity"
"""The file beside a pid file with what tells its process from a later one with the same pid."""
SUPERVISOR = "supervisor.supervisord"
"""The module of the daemon, as its command line has it."""


def runs(pid: int) -> bool:
    return machine.process(pid) is not None


def frozen(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    found = machine.process(pid)
    return found is not None and found.frozen


def running(pid_file: Path) -> int:
    """The pid in a file while the process that wrote it runs, else 0.

    What tells it from a later one with the same pid does not move with the clock: see `machine.start`. Where that is
    not known, or was written in another folder (the project was renamed, or this is a copy of it), it is where the
    process works.
    """
    try:
        pid = int(pid_file.read_text())
    except (ValueError, OSError):
        return 0
    folder, noted = _identity_in(pid_file.with_name(IDENTITY))
    same = not noted or noted == machine.start(pid)
    here = folder == str(pid_file.parent) or (same and pid in working_below(pid_file.parents[2]))
    return pid if same and here and runs(pid) else 0


def _identity_in(file: Path) -> tuple[str, tuple[str, ...]]:
    """The folder, and what tells the process that wrote it from a later one."""
    try:
        first, folder, *_ = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (OSError, ValueError):
        return "", ()
    noted = machine.noted_start(first)
    return (folder, noted) if noted else ("", ())


def working_below(folder: Path) -> dict[int, str]:
    """The names of processes without a terminal whose current folder is this one or one below it, by their pids.

    Without this one and those that called it.
    """
    here, callers = folder.resolve(), {*_callers()}
    there = (pid for pid in machine.pids() if pid not in callers and machine.folder(pid).is_relative_to(here))
    found = {pid: process for pid in there if (process := machine.process(pid))}
    return {pid: process.name for pid, process in found.items() if not process.has_terminal}


def _callers() -> Iterator[int]:
    """This process, the one that started it, and so on."""
    pid = os.getpid()
    while pid and (found := machine.process(pid)):
        yield pid
        pid = found.parent


def supervisors(base: Path) -> dict[int, Path]:
    """The supervisors that work in this folder, with the configuration of each.

    They are there also where their socket is gone.
    """
    words = {pid: machine.command(pid) for pid in working_below(base)}
    return {pid: Path(found[found.index("-c") + 1]) for pid, found in words.items() if {SUPERVISOR, "-c"} <= {*found}}


def project(pid: int) -> str:
    """The project directory of a server, which works in a folder of that project; empty for any other process."""
    folder = machine.folder(pid)
    bases = (above.parent for above in (folder, *folder.parents) if above.name in ("run", "data"))
    return next(filter(None, map(owner, bases)), "")


def running_from(folder: Path) -> dict[int, str]:
    """The processes whose program or files are in a folder, each with its project directory where it has one."""
    return {pid: project(pid) for pid in machine.pids() if _uses(pid, f"{folder}/")}


def _uses(pid: int, folder: str) -> bool:
    return any(folder in word for word in (machine.program(pid), *machine.command(pid)))


def end(pids: list[int], seconds: float = GRACE_SECONDS) -> None:
    """End process groups, each named by the process that leads it; kill those that take longer than `seconds`."""
    _signal(pids, signal.SIGCONT)
    _signal(pids, signal.SIGTERM)
    _signal(wait_ended(pids, seconds), signal.SIGKILL)
    wait_ended(pids)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the second on macOS, for one that has ended
            os.killpg(pid, number)


def wait_ended(pids: list[int], seconds: float = GRACE_SECONDS) -> list[int]:
    """Those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
