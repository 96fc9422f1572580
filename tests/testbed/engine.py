"""A Docker engine of our own: started in its own mount namespace, stopped without a trace but its cache."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.testbed.places import CHECKOUT, cache, docker_host, engine_root, socket_path
from tests.testbed.rootfs import ensure_engine_root, ensure_plugins
from tests.testbed.shell import TestbedError, output, run, say

BUILTIN_NETWORKS = {"bridge", "host", "none"}
START_SECONDS = 60
STOP_SECONDS = 60
# The name of a container's keeper as the kernel shows it, cut after 15 characters.
SHIM = "containerd-shim"


def answers(host: str | None = None) -> bool:
    """Whether an engine answers: at this address, or where the docker CLI would look by itself."""
    command = ["docker", *(["--host", host] if host else []), "info", "--format", "{{.ServerVersion}}"]
    return bool(output(command))


def running() -> bool:
    """Whether our own engine answers."""
    return socket_path().exists() and answers(docker_host())


def start(extra: Sequence[Path] = ()) -> str:
    """Start the engine unless it runs; the answer is its DOCKER_HOST."""
    if os.geteuid() != 0:
        raise TestbedError("an engine of our own needs root; or point DOCKER_HOST at one that can pull")
    root = ensure_engine_root()
    ensure_plugins(root)
    if running():
        return docker_host()
    end_processes()
    clear_run(root)
    say("starting the engine")
    launch(root, visible(extra))
    wait_until_up()
    clear_leftovers()
    return docker_host()


def visible(extra: Sequence[Path]) -> list[Path]:
    """The folders the engine sees at their own path, since Compose has it mount files from them."""
    wanted = [Path("/tmp"), Path.home(), CHECKOUT, *(path.resolve() for path in extra)]
    return sorted({path for path in wanted if path.is_dir()})


def launch(root: Path, folders: Sequence[Path]) -> None:
    """Start dockerd as a process of its own that outlives this one."""
    enter = Path(__file__).with_name("enter.sh")
    with (cache() / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", enter, root, *folders],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    pid_file().write_text(f"{process.pid}\n")


def wait_until_up() -> None:
    """Wait for the first answer."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if running():
            return
        if not alive(our_pid()):
            break
        time.sleep(0.3)
    raise TestbedError(f"the engine did not start; see {cache() / 'engine.log'}")


def stop() -> None:
    """Remove what ran on the engine, end it, keep its image layers."""
    if running():
        say("removing containers, volumes and networks")
        clear_leftovers()
    end_processes()
    clear_run(engine_root())
    say("the engine is stopped")


def clear_leftovers() -> None:
    """Every run starts from nothing: no container, volume or network of an earlier one."""
    docker = ["docker", "--host", docker_host()]
    containers = (output([*docker, "ps", "-aq"]) or "").split()
    if containers:
        run([*docker, "rm", "--force", "--volumes", *containers])
    volumes = (output([*docker, "volume", "ls", "-q"]) or "").split()
    if volumes:
        run([*docker, "volume", "rm", "--force", *volumes])
    names = (output([*docker, "network", "ls", "--format", "{{.Name}}"]) or "").split()
    for name in sorted(set(names) - BUILTIN_NETWORKS):
        run([*docker, "network", "rm", name])


def end_processes() -> None:
    """End our dockerd, then what a crash of it left behind; nobody else's."""
    containerd = engine_root() / "run" / "docker" / "containerd" / "containerd.pid"
    for path, name in ((pid_file(), "dockerd"), (containerd, "containerd")):
        pid = read_pid(path)
        if is_ours(pid, name):
            end(pid)
        path.unlink(missing_ok=True)
    for shim in [pid for pid in pids() if is_ours(pid, SHIM)]:
        for container in [pid for pid in pids() if parent(pid) == shim]:
            end(container, signal.SIGKILL)
        end(shim)


def pids() -> list[int]:
    """The ids of all processes."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def end(pid: int, *signals: signal.Signals) -> None:
    """Ask a process to end and wait; insist when it does not."""
    for name in signals or (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, name)
        limit = time.monotonic() + STOP_SECONDS
        while alive(pid) and time.monotonic() < limit:
            time.sleep(0.2)
        if not alive(pid):
            return


def is_ours(pid: int, name: str) -> bool:
    """Whether this pid is still the program we started, seen from its root directory."""
    try:
        program = Path(f"/proc/{pid}/comm").read_text().strip()
        inside = os.stat(f"/proc/{pid}/root/")
        here = engine_root().stat()
    except OSError:
        return False
    return program == name and (inside.st_dev, inside.st_ino) == (here.st_dev, here.st_ino)


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    return stat(pid)[0] not in ("", "Z")


def parent(pid: int) -> int:
    """The process that started this one, 0 when it is gone."""
    return int(stat(pid)[1] or 0)


def stat(pid: int) -> list[str]:
    """State, parent and so on of a process, empty texts when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ["", ""]


def clear_run(root: Path) -> None:
    """An empty /run: the engine must not meet the sockets and pid files of an earlier one."""
    shutil.rmtree(root / "run", ignore_errors=True)
    (root / "run").mkdir(parents=True, exist_ok=True)


def pid_file() -> Path:
    """Where the engine's process id is kept."""
    return cache() / "engine.pid"


def our_pid() -> int:
    """The engine's process id, 0 when unknown."""
    return read_pid(pid_file())


def read_pid(path: Path) -> int:
    """A process id from a file, 0 when there is none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
