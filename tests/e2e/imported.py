"""A process that has arcctl imported: each call is a fork of it, which saves the second that Python takes for imports.

The fork is a process of its own, with the arguments, environment, folder and streams of the call, and runs the program
from its first line to its last. What differs from a start by hand: modules are there that it did not ask for.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ELSEWHERE = ("PYTHON", "LC_", "LANG", "COVERAGE")
"""Variables that Python reads when it starts begin with one of these."""
LARGEST = 100_000
"""Bytes of a request."""
ALSO = ("arcctl.engines.http", "psycopg", "nats.aio.client", "redis.asyncio", "rich.console", "rich.table")
"""Libraries that arcctl imports when it needs them. That of Pulsar starts threads, which no fork has."""


def fits(environment: Mapping[str, str]) -> bool:
    """Whether a fork behaves as a new process would: Python's own settings are those of this process."""
    names = {name for name in (*environment, *os.environ) if name.startswith(ELSEWHERE)}
    return all(environment.get(name) == os.environ.get(name) for name in names)


def run(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], given: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment that is arcctl, as `subprocess.run` does with captured output."""
    (given_end, given_file), (out_end, out_file), (err_end, err_file) = (os.pipe() for _ in range(3))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as call, ThreadPoolExecutor(3) as threads:
        call.connect(str(_address()))
        request = json.dumps({"words": list(words), "folder": str(folder), "environment": dict(environment)})
        socket.send_fds(call, [request.encode()], [given_end, out_file, err_file])
        for end in (given_end, out_file, err_file):
            os.close(end)
        threads.submit(_write, given_file, given)
        out, err = threads.submit(_read, out_end), threads.submit(_read, err_end)
        pid = int(call.recv(LARGEST))
        call.settimeout(timeout)
        try:
            code = os.waitstatus_to_exitcode(int(call.recv(LARGEST)))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(words), timeout, out.result(), err.result()) from None
        return subprocess.CompletedProcess(list(words), code, out.result(), err.result())


def _write(file: int, text: str) -> None:
    with contextlib.suppress(BrokenPipeError), open(file, "w") as stream:  # it may read no more
        stream.write(text)


def _read(file: int) -> str:
    with open(file) as stream:
        return stream.read()


@functools.cache
def _address() -> Path:
    """Where the imported process takes calls; it ends with this one."""
    folder = tempfile.TemporaryDirectory(prefix="arc-calls-")
    address = Path(folder.name, "socket")
    server = subprocess.Popen((sys.executable, __file__, address), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def end() -> None:
        assert server.stdin
        server.stdin.close()
        server.wait(10)
        folder.cleanup()

    atexit.register(end)
    for _ in range(600):
        if address.exists():
            return address
        time.sleep(0.1)
    raise TimeoutError("arcctl was not imported in a minute")


def _serve(address: str) -> None:
    """Returns in a fork, which is to become the program; the first process ends when nobody holds its stdin."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(f"{address}.new")
        listening.listen(64)
        os.rename(f"{address}.new", address)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([listening.fileno(), 0], [], [])
            if 0 in ready:
                os._exit(0)
            call, _ = listening.accept()
            if not os.fork():
                break
            call.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, streams, _, _ = socket.recv_fds(call, LARGEST, 3)
    if pid := os.fork():
        call.send(str(pid).encode())
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(pid, 0)
        call.send(str(status).encode())
        os._exit(0)
    call.close()
    _take_over(streams, **json.loads(request))


def _take_over(streams: Sequence[int], words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Make this process the one that was asked for."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = sys.__stdin__ = os.fdopen(0)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, errors="backslashreplace")  # type: ignore[misc]
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = words


def _leave(code: object) -> None:
    """As Python ends, but for taking every module apart, which nobody sees and which takes a tenth of a second."""
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1 if code is not None and not isinstance(code, int) else int(code or 0))


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file
    import arcctl

    for found in pkgutil.walk_packages(arcctl.__path__, "arcctl."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in ALSO:
        importlib.import_module(name)
    assert threading.active_count() == 1
    gc.freeze()
    _serve(sys.argv[1])
    from arcctl.cli.main import main

    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    _leave(code)
