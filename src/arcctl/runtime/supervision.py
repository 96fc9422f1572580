"""One supervisor daemon per home: starts it, talks to it, ends it, and clears up behind one that was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcctl.errors import EngineError

START_SECONDS = 15.0
"""Longest time until a new supervisor answers."""
CALL_SECONDS = 10.0
GRACE_SECONDS = 10.0
"""What processes without a supervisor get between the stop signal and the kill."""
SAME_PROCESS_SECONDS = 10.0
"""A process older or younger than its pid file by more than this is another one with the same number."""
SOCKET_PATH_LIMIT = 100
SETTINGS = {"PATH": os.defpath, "LANG": "C.UTF-8"}

_HEAD = """\
[supervisord]
pidfile={base}/supervisor.pid
logfile={base}/log/supervisor.log
logfile_maxbytes=1MB
logfile_backups=1
childlogdir={base}/log
directory={base}
umask=077
nocleanup=true
{user}
[unix_http_server]
file={base}/s
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{key}]
command=/bin/sh {start}
autostart=false
autorestart={restart}
startsecs={seconds}
startretries=3
exitcodes=0
priority={priority}
stopsignal={signal}
stopwaitsecs={grace}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
{user}
"""


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """What the supervisor must know of one process; the rest is in its start script."""

    key: str
    start: Path
    priority: int
    stop_signal: str
    grace: int
    one_shot: bool
    user: str = ""
    """The account it runs as; empty for the caller's own."""


class Refused(Exception):
    """The supervisor's own answer to a call, such as ALREADY_STARTED."""


class Supervisor:
    """The daemon whose files are below `base`."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._socket = base / "s"

    def call(self, method: str, *arguments: Any) -> Any:
        """One call of its XML-RPC interface.

        Raises ConnectionError where no supervisor answers and Refused for what it does not do.
        """
        import xmlrpc.client

        from arcctl.runtime.http import httpx

        body = xmlrpc.client.dumps(arguments, f"supervisor.{method}")
        try:
            with httpx.Client(
                transport=httpx.HTTPTransport(uds=str(self._socket), verify=False), timeout=CALL_SECONDS
            ) as client:
                answer = client.post("http://supervisor/RPC2", content=body, headers={"Content-Type": "text/xml"})
            return xmlrpc.client.loads(answer.text)[0][0]
        except httpx.HTTPError as error:
            raise ConnectionError(str(error)) from None
        except xmlrpc.client.Fault as fault:
            raise Refused(fault.faultString) from None

    def processes(self) -> dict[str, dict[str, Any]] | None:
        """What it says of each process, by key; None where no supervisor answers."""
        try:
            return {info["name"]: info for info in self.call("getAllProcessInfo")}
        except ConnectionError:
            return None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One change of the home at a time, whoever makes it."""
        self.base.mkdir(parents=True, exist_ok=True, mode=0o755)
        with (self.base / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def ensure(self, programs: Mapping[str, Supervised]) -> None:
        """A running supervisor that knows these programs; what a killed one left behind is ended first."""
        config = self.base / "supervisor.conf"
        text = self._config(programs)
        changed = not config.is_file() or config.read_text() != text
        config.write_text(text)
        if self.processes() is None:
            self.sweep()
            self._launch(config)
        elif changed:
            self._reload()

    def _config(self, programs: Mapping[str, Supervised]) -> str:
        user = "user=root\n" if os.geteuid() == 0 else ""
        return _HEAD.format(base=self.base, user=user) + "".join(self._program(p) for p in programs.values())

    def _program(self, program: Supervised) -> str:
        return _PROGRAM.format(
            key=program.key,
            start=program.start,
            restart="false" if program.one_shot else "true",
            seconds=0 if program.one_shot else 1,
            priority=program.priority,
            signal=program.stop_signal,
            grace=program.grace,
            log=self.log(program.key),
            user=f"user={program.user}\n" if program.user else "",
        )

    def log(self, key: str) -> Path:
        """Where a process writes."""
        return self.base / "log" / f"{key}.log"

    def _launch(self, config: Path) -> None:
        if len(str(self._socket)) > SOCKET_PATH_LIMIT:
            raise EngineError(f"the path of this home is too long for a socket: {self._socket}", hint="arcctl --home")
        (self.base / "log").mkdir(exist_ok=True)
        for stale in (self._socket, self.base / "supervisor.pid"):
            stale.unlink(missing_ok=True)
        command = (sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(config))
        done = subprocess.run(
            command, env=SETTINGS, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode or not self._answers():
            words = (done.stderr or done.stdout).strip().splitlines() or [f"see {self.base}/log/supervisor.log"]
            raise EngineError(f"the supervisor does not start: {words[-1]}", hint="arcctl doctor")

    def _answers(self) -> bool:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.processes() is not None:
                return True
            time.sleep(0.05)
        return False

    def _reload(self) -> None:
        """Take in programs that are new; those that changed are started anew where they ran."""
        ran = {name for name, info in (self.processes() or {}).items() if info["statename"] == "RUNNING"}
        added, changed, removed = self.call("reloadConfig")[0]
        for name in (*changed, *removed):
            with contextlib.suppress(Refused):
                self.call("stopProcessGroup", name)
                self.call("removeProcessGroup", name)
        for name in (*added, *changed):
            with contextlib.suppress(Refused):
                self.call("addProcessGroup", name)
        for name in sorted(ran & set(changed)):
            self.start(name)

    def start(self, key: str) -> None:
        with contextlib.suppress(Refused):  # a second `up` at the same time was faster
            self.call("startProcess", key, False)

    def wake(self, keys: tuple[str, ...]) -> None:
        """Let processes go on that were frozen."""
        for key in keys:
            with contextlib.suppress(Refused):
                self.call("signalProcess", key, "CONT")

    def stop(self, keys: tuple[str, ...]) -> None:
        """Stop processes at the same time, each with its own signal and grace."""
        self.wake(keys)  # one that is frozen would not hear the stop signal
        for key in keys:
            with contextlib.suppress(Refused):
                self.call("stopProcess", key, False)
        while any(self._stopping(key) for key in keys):
            time.sleep(0.05)

    def _stopping(self, key: str) -> bool:
        found = self.processes() or {}
        return key in found and found[key]["statename"] == "STOPPING"

    def shutdown(self) -> None:
        """Stop everything and end the supervisor, or what it left where it is gone."""
        found = self.processes()
        if found is not None:
            self.stop(tuple(found))
            pid = self.call("getPID")
            self.call("shutdown")
            _wait_gone([pid], GRACE_SECONDS)
        self.sweep()

    def outlived(self) -> list[int]:
        """Processes of this home that run, whether a supervisor does or not, known by their pid files."""
        return [pid for file in (self.base / "run").glob("*/pid") if (pid := _alive(file))]

    def sweep(self) -> None:
        """End processes that outlived their supervisor."""
        left = self.outlived()
        for pid in left:
            _signal(pid, signal.SIGCONT)
            _signal(pid, signal.SIGTERM)
        for pid in _wait_gone(left, GRACE_SECONDS):
            _signal(pid, signal.SIGKILL)
        _wait_gone(left, GRACE_SECONDS)


def _alive(file: Path) -> int:
    """The pid in a file when that very process still runs, else 0."""
    import psutil

    try:
        process = psutil.Process(int(file.read_text()))
        same = abs(process.create_time() - file.stat().st_mtime) < SAME_PROCESS_SECONDS
        return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else 0
    except (psutil.NoSuchProcess, ValueError, OSError):
        return 0


def _signal(pid: int, number: signal.Signals) -> None:
    """Signal a process and its group, which it leads."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _wait_gone(pids: list[int], seconds: float) -> list[int]:
    """Those that are still there after so many seconds."""
    import psutil

    def there(pid: int) -> bool:
        try:
            return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    end = time.monotonic() + seconds
    while (left := [pid for pid in pids if there(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def frozen(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False
