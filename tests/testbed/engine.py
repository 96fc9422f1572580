"""Starts and stops a Docker engine in a mount namespace of its own. Only its cache is kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.testbed.places import CHECKOUT, ENGINE, cache, docker_host, engine_root, socket_path
from tests.testbed.rootfs import ensure_engine_root, ensure_plugins
from tests.testbed.shell import TestbedError, output, run, say

BUILTIN_NETWORKS = {"bridge", "host", "none"}
OPTIONS = "-H unix:///run/docker.sock --pidfile /run/docker.pid --storage-driver overlay2"
STORES = {"overlay2": "--storage-driver overlay2", "containerd": "--feature containerd-snapshotter=true"}
"""Where an engine keeps its images: a new Docker 29 has the second."""
START_SECONDS = 60
STOP_SECONDS = 60
# The process name of containerd-shim-runc-v2, which the kernel cuts after 15 characters.
SHIM = "containerd-shim"


def answers(host: str | None = None, variables: Mapping[str, str] | None = None) -> bool:
    """Whether an engine answers at this address; by default, at the address of the docker CLI."""
    command = ["docker", *(["--host", host] if host else []), "info", "--format", "{{.ServerVersion}}"]
    return bool(output(command, env=variables))


def running() -> bool:
    """Whether our engine answers."""
    return socket_path().exists() and answers(docker_host())


def start(extra: Sequence[Path] = ()) -> str:
    """Start the engine unless it runs; return its DOCKER_HOST."""
    if os.geteuid() != 0:
        raise TestbedError("only root can start this engine; or set DOCKER_HOST to an engine that can pull")
    root = ensure_engine_root()
    ensure_plugins(root)
    if running():
        return docker_host()
    end_processes()
    clear_run(root)
    say("starting the engine")
    process = launch(root, visible(extra))
    pid_file().write_text(f"{process.pid}\n")
    wait_until_up(process.pid, docker_host())
    clear_leftovers()
    return docker_host()


def visible(extra: Sequence[Path]) -> list[Path]:
    """The folders that the engine sees at the same path: Compose mounts files from them."""
    wanted = [Path("/tmp"), Path.home(), CHECKOUT, *(path.resolve() for path in extra)]
    return sorted({path for path in wanted if path.is_dir()})


def launch(root: Path, folders: Sequence[Path], options: str = OPTIONS, network: str = "") -> subprocess.Popen[bytes]:
    """Start dockerd as a daemon, in another network namespace where one is named."""
    enter = Path(__file__).with_name("enter.sh")
    place = ("nsenter", f"--net=/run/netns/{network}") if network else ()
    with (cache() / f"{ENGINE}.log").open("ab") as log:
        return subprocess.Popen(
            [*place, "unshare", "--mount", "sh", enter, root, *folders],
            env={**os.environ, "DOCKERD": options, "OWN_RUN": network},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_until_up(pid: int, host: str, variables: Mapping[str, str] | None = None) -> None:
    """Wait until the engine of this process answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if answers(host, variables):
            return
        if not alive(pid):
            break
        time.sleep(0.3)
    raise TestbedError(f"the engine did not start; see {cache() / f'{ENGINE}.log'}")


@contextlib.contextmanager
def empty(store: str) -> Iterator[str]:
    """The DOCKER_HOST of one more engine, which has no images and no networks: for pulls only."""
    root = ensure_engine_root()
    ensure_plugins(root)
    with tempfile.TemporaryDirectory(prefix="engine-", dir=root / "var") as name:
        folder, host = Path(name), f"unix://{name}/docker.sock"
        inside = f"/var/{folder.name}"
        options = f"-H unix://{inside}/docker.sock --pidfile {inside}/docker.pid --exec-root {inside}/run"
        options += f" --data-root {inside}/data --bridge none --iptables=false --ip6tables=false {STORES[store]}"
        process = launch(root, [], options)
        try:
            wait_until_up(process.pid, host)
            yield host
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def stop() -> None:
    """Remove containers, volumes and networks, stop the engine, keep its image layers."""
    if running():
        say("removing containers, volumes and networks")
        clear_leftovers()
    end_processes()
    clear_run(engine_root())
    say("the engine is stopped")


def clear_leftovers() -> None:
    """Remove every container, volume and network of an earlier run."""
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
    """End our dockerd and the processes that a crash of it left. Other engines are not touched."""
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
    """Send the signals one after the other until the process has ended."""
    for name in signals or (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, name)
        limit = time.monotonic() + STOP_SECONDS
        while alive(pid) and time.monotonic() < limit:
            time.sleep(0.2)
        if not alive(pid):
            return


def is_ours(pid: int, name: str) -> bool:
    """Whether this pid is a program of our engine: compares its name and its root directory."""
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
    """The parent of a process, 0 if the process has ended."""
    return int(stat(pid)[1] or 0)


def stat(pid: int) -> list[str]:
    """State, parent and other fields of a process; empty texts if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ["", ""]


def clear_run(root: Path) -> None:
    """Empty /run: sockets and pid files of an earlier engine would confuse the next one."""
    shutil.rmtree(root / "run", ignore_errors=True)
    (root / "run").mkdir(parents=True, exist_ok=True)


def pid_file() -> Path:
    """The file with the process id of the engine."""
    return cache() / f"{ENGINE}.pid"


def read_pid(path: Path) -> int:
    """A process id from a file, 0 when there is none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
