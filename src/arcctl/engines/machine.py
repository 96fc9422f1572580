"""What differs between Linux and macOS, and between processors: all of it is here. macOS is not tested."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psutil

LINUX: bool = sys.platform == "linux"
SOCKET_PATH = 107 if LINUX else 103
"""Bytes of the longest path of a Unix socket."""
WILDCARD_IS_HIDDEN = not LINUX
"""Whether a port can be bound on one address while a server has it on all addresses."""
LOCALE = "C.UTF-8" if LINUX else "en_US.UTF-8"
WORDS = {"{locale}": LOCALE, "{loopback}": "lo" if LINUX else "lo0"}
"""What words in commands and files of local processes stand for."""
_PROC = Path("/proc")
_START_OF = ("ps", "-o", "lstart=", "-p")
_SAME_WORDS = {"LC_ALL": "C", "TZ": "UTC0"}
"""Variables with which `ps` prints a time the same way for everybody."""

NOTE_START = (
    # The id of the machine's start, and the fields of a process after its name.
    """\
[ ! -r /proc/$$/stat ] || {
  read -r boot </proc/sys/kernel/random/boot_id
  read -r process </proc/$$/stat
  start="$boot ${process##*) }"
}"""
    if LINUX
    else f"start=$({' '.join(f'{name}={value}' for name, value in _SAME_WORDS.items())} {' '.join(_START_OF)} $$)"
)
"""Shell words that put into `start` what tells this process from a later one with its pid, for `noted_start`."""


class Process(NamedTuple):
    """What the system says of a process that runs."""

    name: str
    frozen: bool
    """Whether a signal has stopped it."""
    parent: int
    """0 where it has none."""
    has_terminal: bool


def architecture() -> str:
    return platform.machine()


def memory() -> int:
    """Bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def cores() -> int:
    return os.cpu_count() or 1


def pids() -> list[int]:
    import psutil

    return psutil.pids()


def process(pid: int) -> Process | None:
    """None where it has ended, also where its parent did not notice yet."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess, ValueError):
        found = psutil.Process(pid)
        with found.oneshot():
            state = found.status()
            if state in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                return None
            return Process(found.name(), state == psutil.STATUS_STOPPED, found.ppid() or 0, bool(_terminal(found)))
    return None


def _terminal(found: psutil.Process) -> str | None:
    import psutil

    try:
        return found.terminal()
    except psutil.AccessDenied:
        return None


def folder(pid: int) -> Path:
    """Where a process works; the empty path where it has ended, or belongs to another user."""
    import psutil

    with contextlib.suppress(psutil.Error, ValueError):
        return Path(psutil.Process(pid).cwd())
    return Path()


def program(pid: int) -> str:
    """The path of its program; empty where the system does not say."""
    import psutil

    with contextlib.suppress(psutil.Error, ValueError):
        return psutil.Process(pid).exe()
    return ""


def command(pid: int) -> list[str]:
    """The words of its command line; none where the system does not say."""
    import psutil

    with contextlib.suppress(psutil.Error, ValueError):
        return psutil.Process(pid).cmdline()
    return []


def memory_of(found: psutil.Process) -> int:
    """Bytes; a page that several processes share is counted once where the system says so. 0 where it has ended."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        try:
            full = found.memory_full_info()
            return int(getattr(full, "pss", full.uss))
        except psutil.AccessDenied:
            return int(found.memory_info().rss)
    return 0


def start(pid: int) -> tuple[str, ...]:
    """What tells a process from a later one with its pid, whatever becomes of the clock; empty where it has ended."""
    if not LINUX:
        environment = {"PATH": os.defpath, **_SAME_WORDS}
        done = subprocess.run((*_START_OF, str(pid)), env=environment, capture_output=True, text=True, check=False)
        return noted_start(done.stdout)
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2]
        return noted_start(f"{(_PROC / 'sys/kernel/random/boot_id').read_text().strip()} {fields}")
    except OSError:
        return ()


def noted_start(text: str) -> tuple[str, ...]:
    """What `NOTE_START` noted; empty where it is something else.

    On Linux the id of the machine's start, and the ticks since then.
    """
    words = text.split()
    if not LINUX:
        return tuple(words)
    return (words[0], words[20]) if len(words) > 20 else ()


def listener(port: int) -> int:
    """The process that listens on a port; 0 where the system does not say."""
    return next((pid for found, pid in _listeners() if found == port), 0)


def _listeners() -> Iterator[tuple[int, int]]:
    """Ports with their processes; on macOS only root may ask for all of them at once."""
    import psutil

    try:
        every = [(found, found.pid or 0) for found in psutil.net_connections("tcp")]
    except psutil.AccessDenied:
        every = [(found, each.pid) for each in psutil.process_iter() for found in _connections(each)]
    listening = ((found.laddr, pid) for found, pid in every if found.status == psutil.CONN_LISTEN and pid)
    yield from ((address[1], pid) for address, pid in listening if address)


def _connections(owner: psutil.Process) -> list[Any]:
    import psutil

    with contextlib.suppress(psutil.Error):
        return owner.net_connections("tcp")
    return []


def windows_subsystem() -> bool:
    return LINUX and "microsoft" in platform.release().lower()


def security_label(path: Path) -> str:
    """What SELinux knows a file by; empty where there is no such thing."""
    return _attribute(path, "security.selinux").decode().rstrip("\0")


def _attribute(path: Path, name: str) -> bytes:
    try:
        return os.getxattr(path, name)
    except (AttributeError, OSError):  # not on this system, or not on this file
        return b""


def kernel_setting(name: str) -> int | None:
    """A number of Linux's kernel, such as `vm/overcommit_memory`; None where there is none of that name."""
    text = _text(_PROC / "sys" / name).strip()
    return int(text) if text.isdigit() else None


def lowest_port() -> int | None:
    """The first port on which a program without root may listen; None where the system does not say."""
    return kernel_setting("net/ipv4/ip_unprivileged_port_start")


def has_capabilities(program: Path) -> bool:
    """Whether a program gets some of the rights of root when it starts."""
    return bool(_attribute(program, "security.capability"))


def lock_owner(inode: int) -> int:
    """The process that holds a lock on a file; 0 where none does, or where the system does not say."""
    for line in _text(_PROC / "locks").splitlines():
        words = line.split()
        if len(words) > 5 and words[5].rpartition(":")[2] == str(inode):
            return int(words[4])
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
