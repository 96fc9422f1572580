"""Local processes, by their ids: whether they run, how to end them, what they use and what they print."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from arcctl.engines.base import Usage

if TYPE_CHECKING:
    import psutil

SAMPLE_SECONDS = 0.3
"""How long CPU time is measured."""
GRACE_SECONDS = 10.0
"""Time between the stop signal and the kill."""
IDENTITY = "identity"
"""The file beside a pid file with what tells its process from a later one with the same pid."""
SUPERVISOR = "supervisor.supervisord"
"""The module of the daemon, as its command line has it."""
BLOCK = 512


def status(pid: int) -> str:
    """psutil's word for the state of a process; empty where it has ended, also where its parent did not notice yet."""
    import psutil

    try:
        found = str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return ""
    return "" if found == psutil.STATUS_ZOMBIE else found


def frozen(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    return status(pid) == "stopped"


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
    return pid if same and here and status(pid) else 0


def _identity_in(file: Path) -> tuple[str, tuple[str, str] | None]:
    """The folder, and what is made of the id of the machine's start and the fields of a process after its name."""
    try:
        first, folder, *_ = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        boot, *fields = first.split()
        return folder, (boot, fields[19])
    except (OSError, ValueError, IndexError):
        return "", None


def _identity(pid: int) -> tuple[str, str] | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return boot, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def working_below(folder: Path) -> dict[int, str]:
    """The names of processes without a terminal whose current folder is this one or one below it, by their pids.

    Without this one and those that called it; none at all without the packages of the embedded engine.
    """
    try:
        import psutil
    except ImportError:
        return {}
    here, found = folder.resolve(), dict[int, str]()
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter(["name", "cwd", "terminal"]):
        place = Path(process.info["cwd"] or "/")
        is_server = process.pid not in mine and not process.info["terminal"]
        if place.is_relative_to(here) and is_server and status(process.pid):
            found[process.pid] = process.info["name"]
    return found


def supervisors(base: Path) -> list[int]:
    """The supervisors that work in this folder: they are there also where their socket is gone."""
    return [pid for pid in working_below(base) if SUPERVISOR in _command(pid)]


def _command(pid: int) -> list[str]:
    import psutil

    with contextlib.suppress(psutil.Error):
        return list(psutil.Process(pid).cmdline())
    return []


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
    while (left := [pid for pid in pids if status(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def usage(pids: Mapping[str, int]) -> dict[str, Usage]:
    """What processes use together with their children, by key; without those that have ended."""
    families = {key: found for key, pid in pids.items() if (found := _family(pid))}
    for family in families.values():
        _cpu(family)  # starts the measurement
    time.sleep(SAMPLE_SECONDS)
    return {key: Usage(memory=_memory(found), cpu=round(_cpu(found), 1)) for key, found in families.items()}


def _family(pid: int) -> list[psutil.Process]:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _cpu(family: Iterable[psutil.Process]) -> float:
    """Percent of one core since the last call for the same objects."""
    import psutil

    total = 0.0
    for process in family:
        with contextlib.suppress(psutil.Error):
            total += process.cpu_percent()
    return total


def _memory(family: Iterable[psutil.Process]) -> int:
    """Bytes; a page that several processes share is counted once where the system says so."""
    import psutil

    total = 0
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                full = process.memory_full_info()
                total += int(getattr(full, "pss", full.uss))
            except psutil.AccessDenied:
                total += int(process.memory_info().rss)
    return total


def disk(folders: Iterable[Path]) -> int:
    """Bytes on disk in these folders, as far as they can be read."""
    return sum(_blocks(path) for folder in folders for path in folder.rglob("*"))


def _blocks(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.lstat().st_blocks * BLOCK
    return 0


PAUSE = 0.3
"""Seconds between two reads."""


def last_run(starts: Path) -> int:
    """How many bytes a log had at the last start of its process that surely printed something: the one before the last,
    where there are two."""
    lines = starts.read_text(encoding="utf-8").splitlines() if starts.is_file() else []
    sizes = [line.partition(" ")[2] for line in lines]  # an earlier arcctl noted the pid alone
    return int(next(iter(sizes[-2:]), "") or 0)


def follow_logs(paths: Mapping[str, Path], *, follow: bool, tail: str, start: int = 0) -> Iterator[str]:
    """Lines, each after the key of its process; `tail` is a number of lines, or empty for all.

    While it follows, a line is given when its end has come. The bytes before `start` are left out, of a log that has
    as many: one that was begun anew meanwhile has all of it.
    """
    with contextlib.ExitStack() as closed_at_end:
        logs = {key: _Log(path, start) for key, path in paths.items()}
        for key, log in logs.items():
            closed_at_end.callback(log.close)
            lines = log.read()
            if not follow:
                lines += log.rest()
            kept = lines[max(0, len(lines) - int(tail)) :] if tail else lines
            yield from (f"{key}  | {line}" for line in kept)
        while follow:
            time.sleep(PAUSE)
            for key, log in logs.items():
                yield from (f"{key}  | {line}" for line in log.read())


class _Log:
    """A growing file. It stays open, so that nothing is missed when the file is renamed and a new one begun."""

    def __init__(self, path: Path, start: int = 0) -> None:
        self._path, self._start = path, start
        self._stream: BinaryIO | None = None
        self._unfinished = b""

    def read(self) -> list[str]:
        """The lines that have ended since the last call."""
        new = self._new()
        while self._renamed():
            self.close()
            new += self._new()
        *lines, self._unfinished = (self._unfinished + new).split(b"\n")
        return [_text(line) for line in lines]

    def rest(self) -> list[str]:
        """The last line, where it has no end."""
        return [_text(self._unfinished)] if self._unfinished else []

    def close(self) -> None:
        if self._stream:
            self._stream.close()
        self._stream = None

    def _new(self) -> bytes:
        if self._stream is None and self._path.is_file():
            self._stream = self._path.open("rb")
            self._stream.seek(self._start)
            self._start = 0  # of this file alone
        if self._stream is None:
            return b""
        if os.fstat(self._stream.fileno()).st_size < self._stream.tell():
            self._stream.seek(0)  # it was emptied
        return self._stream.read()

    def _renamed(self) -> bool:
        if self._stream is None or not self._path.is_file():
            return False
        return not os.path.samestat(os.fstat(self._stream.fileno()), self._path.stat())


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode(errors="replace")
