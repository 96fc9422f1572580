"""Which project a process of this machine belongs to, whoever started it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arcctl.engines.embedded.location import owner


def project(pid: int) -> str:
    """The project directory of a server, which works in a folder of that project; empty for any other process."""
    folder = _link(pid, "cwd")
    base = next((above.parent for above in (folder, *folder.parents) if above.name == "run"), None)
    return owner(base) if base else ""


def running_from(folder: Path) -> dict[int, str]:
    """The processes whose program or files are in a folder, each with its project directory where it has one."""
    return {pid: project(pid) for pid in _pids() if _uses(pid, str(folder))}


def _uses(pid: int, folder: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:  # it has ended
        return False
    return f"{folder}/" in words or str(_link(pid, "exe")).startswith(f"{folder}/")


def _pids() -> Iterator[int]:
    yield from (int(path.name) for path in Path("/proc").glob("[0-9]*"))


def _link(pid: int, name: str) -> Path:
    try:
        return Path(f"/proc/{pid}/{name}").readlink()
    except OSError:  # it has ended, or belongs to another user
        return Path()
