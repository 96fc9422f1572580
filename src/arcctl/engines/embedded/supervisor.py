"""One supervisor daemon per project: starts it, calls it, ends it, and ends what a killed one left running."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcctl.engines import machine
from arcctl.engines.base import Tell, silent
from arcctl.engines.embedded import accounts, processes
from arcctl.engines.embedded.location import SOCKET
from arcctl.engines.embedded.logs import log_file
from arcctl.errors import EngineError
from arcctl.settings.files import shared_folder, write_whole

START_SECONDS = 15.0
"""Longest time until a new supervisor answers."""
CALL_SECONDS = 10.0
"""Longest time until a supervisor answers a call."""
CALLS = 4
"""How often one that takes longer is asked before it counts as lost: on a machine under load it may be slow."""
LEFT_SECONDS = 5.0
"""Longest time that what a server started may run after it."""
STOP_SECONDS = 90.0
"""Longest time that a supervisor which does not answer may take to stop its servers, one after the other."""
SHUTTING_DOWN = 6
"""How a supervisor answers every call while it ends its servers and itself."""
STATES = {
    "RUNNING": "running",
    "STARTING": "running",
    "STOPPING": "running",
    "STOPPED": "exited",
    "EXITED": "exited",
    "BACKOFF": "restarting",
}
"""A supervisor's state as that of a container; FATAL and all others are `dead`."""
SETTINGS = {"PATH": os.defpath, "LANG": machine.LOCALE}

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
file={base}/{socket}
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
    """What the supervisor's configuration says of one process; the rest is in its start script."""

    key: str
    start: Path
    priority: int
    stop_signal: str
    grace: int
    init: bool
    user: str = ""
    """The user that it runs as; empty for the caller."""


@dataclass(frozen=True, kw_only=True)
class ProcessState:
    """What is known of one process."""

    pid: int
    state: str = "running"
    """As that of a container."""
    exit_code: int = 0
    started: int = 0
    """Seconds since 1970; 0 where it is not known."""
    supervised: bool = True
    """Whether its supervisor answers."""


class Refused(EngineError):
    """The supervisor refuses a call, for example with ALREADY_STARTED."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the supervisor of this project refuses a call: {why}", hint="arcctl down, then arcctl up")


class NotAnswered(EngineError):
    """No supervisor answers a call; `slow` where one is there and takes too long."""

    def __init__(self, *, slow: bool = False) -> None:
        super().__init__("the supervisor of this project does not answer", hint="arcctl up")
        self.slow = slow


class Supervisor:
    """The daemon whose files are below `base`."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._socket = base / SOCKET
        self._config_file = base / "supervisor.conf"

    def call(self, method: str, *arguments: Any) -> Any:
        """One XML-RPC call. Raises NotAnswered where no supervisor answers, and Refused for what it refuses."""
        import xmlrpc.client

        from arcctl.engines.http import httpx

        if not self._socket.exists():
            raise NotAnswered
        body = xmlrpc.client.dumps(arguments, f"supervisor.{method}")
        try:
            with httpx.Client(
                transport=httpx.HTTPTransport(uds=str(self._socket), verify=False), timeout=CALL_SECONDS
            ) as client:
                answer = client.post("http://supervisor/RPC2", content=body, headers={"Content-Type": "text/xml"})
            return xmlrpc.client.loads(answer.text)[0][0]
        except httpx.HTTPError as error:
            raise NotAnswered(slow=isinstance(error, httpx.TimeoutException)) from None
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == SHUTTING_DOWN:
                raise NotAnswered from None
            raise Refused(fault.faultString) from None

    def processes(self) -> dict[str, dict[str, Any]] | None:
        """`getProcessInfo` of each process, by key; None where no supervisor answers."""
        try:
            return {info["name"]: info for info in self.call("getAllProcessInfo")}
        except NotAnswered:
            return None

    def observe(self) -> dict[str, ProcessState]:
        """Each process, as the supervisor says; where none answers, each that runs."""
        found = self.processes()
        if found is None:
            return {key: ProcessState(pid=pid, supervised=False) for key, pid in self.running().items()}
        return {
            key: ProcessState(
                pid=info["pid"],
                state=STATES.get(info["statename"], "dead"),
                exit_code=info["exitstatus"],
                started=info["start"],
            )
            for key, info in found.items()
        }

    def is_lost(self, tell: Tell = silent) -> bool:
        """Whether no supervisor answers, also after a while where one is there, or one that has not its files here."""
        for attempt in range(CALLS):
            try:
                self.call("getState")
                if renamed := self.is_renamed():
                    tell("the project directory was renamed while its servers ran: they are stopped and started again")
                return renamed
            except NotAnswered as error:
                if not error.slow:
                    return True
            if not attempt:
                tell(f"the supervisor does not answer: asking it for up to {CALL_SECONDS * (CALLS - 1):.0f} s more")
        return True

    def is_renamed(self) -> bool:
        """Whether a supervisor has its files where this folder was before it was renamed."""
        here = self._config_file.resolve()
        return any(found.resolve() != here for found in processes.supervisors(self.base).values())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One command changes the project's processes at a time."""
        for folder in (self.base.parent, self.base) if accounts.unprivileged() else (self.base,):
            shared_folder(folder)
        with (self.base / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def ensure(self, programs: Mapping[str, Supervised]) -> None:
        """Start a supervisor with these programs, or give them to the one that runs."""
        config = self._config_file
        text = self._config(programs)
        changed = not config.is_file() or config.read_bytes() != text.encode()
        write_whole(config, text)
        if self.is_lost():
            self.sweep()
            self._launch(config)
        elif changed:
            self._reload()

    def _config(self, programs: Mapping[str, Supervised]) -> str:
        user = "user=root\n" if os.geteuid() == 0 else ""
        return _HEAD.format(base=self.base, socket=SOCKET, user=user) + "".join(
            self._program(p) for p in programs.values()
        )

    def _program(self, program: Supervised) -> str:
        return _PROGRAM.format(
            key=program.key,
            start=program.start,
            restart="false" if program.init else "true",
            seconds=0 if program.init else 1,
            priority=program.priority,
            signal=program.stop_signal,
            grace=program.grace,
            log=self.log(program.key),
            user=f"user={program.user}\n" if program.user else "",
        )

    def log(self, key: str) -> Path:
        return log_file(self.base, key)

    def _launch(self, config: Path) -> None:
        if len(os.fsencode(self._socket)) > machine.SOCKET_PATH:
            raise EngineError(
                f"the path of the project directory is too long for a socket: {self._socket}",
                hint="move the project to a directory with a shorter path",
            )
        shared_folder(self.base / "log")
        for stale in (self._socket, self.base / "supervisor.pid"):
            stale.unlink(missing_ok=True)
        # With -P and in a folder of ours, so that no file where the caller stands is imported.
        command = (sys.executable, "-P", "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(config))
        done = subprocess.run(
            command, cwd=self.base, env=SETTINGS, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        if done.returncode or not self._answers():
            words = (done.stderr or done.stdout).strip().splitlines() or [f"see {self.base}/log/supervisor.log"]
            raise EngineError(f"the supervisor could not be started: {words[-1]}", hint="arcctl doctor")

    def _answers(self) -> bool:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.processes() is not None:
                return True
            time.sleep(0.05)
        return False

    def _reload(self) -> None:
        """Read the configuration again; programs that changed are restarted where they ran."""
        ran = {name for name, info in (self.processes() or {}).items() if info["statename"] == "RUNNING"}
        added, changed, removed = self.call("reloadConfig")[0]
        self.stop((*changed, *removed))
        for name in (*changed, *removed):
            with contextlib.suppress(Refused):
                self.call("removeProcessGroup", name)
        for name in (*added, *changed):
            with contextlib.suppress(Refused):
                self.call("addProcessGroup", name)
        for name in sorted(ran & set(changed)):
            self.start(name)

    def start(self, key: str) -> None:
        with contextlib.suppress(Refused):  # started by another `up` meanwhile
            self.call("startProcess", key, False)

    def unfreeze(self, keys: tuple[str, ...]) -> None:
        """Continue processes that were stopped by a signal."""
        for key in keys:
            with contextlib.suppress(Refused):
                self.call("signalProcess", key, "CONT")

    def stop(self, keys: tuple[str, ...]) -> None:
        """Stop processes at the same time, each with its own signal and grace."""
        self.unfreeze(keys)  # a frozen process does not get the stop signal
        for key in keys:
            with contextlib.suppress(Refused):
                self.call("stopProcess", key, False)
        while any(p["statename"] == "STOPPING" for key, p in (self.processes() or {}).items() if key in keys):
            time.sleep(0.05)

    def shutdown(self, tell: Tell = silent) -> None:
        """Stop everything and end the supervisor. Raises EngineError as `sweep` does."""
        found = self.processes()
        if found is not None:
            self.stop(tuple(found))
            pid = self.call("getPID")
            self.call("shutdown")
            processes.wait_ended([pid])
        self.sweep(tell)

    def running(self) -> dict[str, int]:
        """The pids of the project's processes, by key: also of those without a supervisor that answers."""
        files = sorted((self.base / "run").glob("*/pid"))
        return {file.parent.name: pid for file in files if (pid := processes.running(file))}

    def sweep(self, tell: Tell = silent) -> None:
        """End a supervisor that does not answer, and processes that a killed one left running.

        A supervisor without a socket cannot be reached again; it stops its servers when it ends. Raises EngineError
        where something still runs afterwards: it uses the data of the project, and no file says what it is.
        """
        servers = self.running().values()  # also for what one leaves in its process group
        if lost := processes.supervisors(self.base):
            pids = " ".join(map(str, lost))
            tell(f"waiting for the supervisor (pid {pids}) to stop its servers, for up to {STOP_SECONDS:.0f} s")
            processes.end([*lost], STOP_SECONDS)
        processes.end([*{*servers, *self.running().values()}])
        if processes.wait_ended([*self._left()], LEFT_SECONDS) and (left := self._left()):
            pids, names = " ".join(map(str, left)), ", ".join(f"{name} (pid {pid})" for pid, name in left.items())
            hint = f"see what they are: ps -fp '{pids}', and end them: kill {pids}"
            raise EngineError(f"still running in {self.base}: {names}", hint=hint)

    def _left(self) -> dict[int, str]:
        return {pid: key for key, pid in self.running().items()} | processes.working_below(self.base)
