"""Looks at the machine and at the home for `doctor`, reads and changes nothing but by `mend`."""

from __future__ import annotations

import os
import platform
import pwd
import resource
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from arcctl.core.checkup.facts import EngineReport, File, HomeFacts, Host
from arcctl.core.checkup.finding import EnvLink, Leftover, Mend, Mode
from arcctl.core.env import variables
from arcctl.core.model import Catalogue
from arcctl.core.ports import Engine
from arcctl.runtime import accounts, files
from arcctl.runtime.docker import DockerEngine

NOT_PRIVATE = ("lock",)
"""Files of the state folder that hold nothing."""
HALF_WRITTEN_SECONDS = 60.0
"""A file that is being written gets its name sooner."""


class LocalExaminer:
    """One home on this machine, and the engine that it runs on."""

    def __init__(self, home: files.Home, catalogue: Catalogue, engine: Engine) -> None:
        self._home, self._catalogue, self._engine = home, catalogue, engine

    def host(self) -> Host:
        return Host(
            python=sys.version_info[:3],
            interpreter=sys.executable,
            now=time.time(),
            wsl="microsoft" in platform.release().lower(),
            user=_name(os.geteuid()),
            root=os.geteuid() == 0,
            unprivileged=os.geteuid() != 0 or accounts.unprivileged() is not None,
            open_files=resource.getrlimit(resource.RLIMIT_NOFILE),
            inotify_watches=_kernel("fs/inotify/max_user_watches"),
            inotify_instances=_kernel("fs/inotify/max_user_instances"),
            overcommit=_kernel("vm/overcommit_memory"),
            lowest_port=_kernel("net/ipv4/ip_unprivileged_port_start"),
        )

    def home(self) -> HomeFacts:
        private = tuple(self._private())
        state = self._home.state
        link, linkable = self._link()
        return HomeFacts(
            root=str(self._home.root),
            initialised=self._home.secrets_file.exists(),
            private=private,
            newest=max((self._path(file.path).stat().st_mtime for file in private), default=0.0),
            link=link,
            link_path=f"compose/{files.COMPOSE_LINK}",
            linkable=linkable,
            leftovers=tuple(str(p.relative_to(self._home.root)) for p in _half_written(state)),
            busy=_holder(state / "lock"),
        )

    def engine(self) -> EngineReport:
        if isinstance(self._engine, DockerEngine):
            from arcctl.runtime import examining_docker

            return examining_docker.report(self._engine, self._home, self._catalogue)
        from arcctl.runtime import examining_embedded

        return examining_embedded.report(self._engine, self._home, self._catalogue)

    def mend(self, mend: Mend) -> str:
        with files.readable(self._home.root):
            match mend:
                case Mode(path, mode):
                    self._path(path).chmod(mode)
                    return f"{path} has mode {mode:04o} now"
                case Leftover(path):
                    _remove(self._path(path))
                    return f"removed {path}"
                case EnvLink(path):
                    self._path(path).unlink(missing_ok=True)
                    self._home.link_compose_env()
                    return f"linked {path}"

    def _path(self, path: str) -> Path:
        return self._home.root / path

    def _private(self) -> Iterator[File]:
        """The state folder, what is in it, and each `.env` that a user put a secret in."""
        state = self._home.state
        if state.is_dir():
            yield self._file(state, files.PRIVATE_FOLDER)
            inside = sorted(p for p in _listed(state) if p.is_file() and p.name not in NOT_PRIVATE)
            yield from (self._file(path, files.PRIVATE_FILE) for path in inside)
        for service_id, service in self._catalogue.services.items():
            path = self._home.root / "config" / service_id / ".env"
            secret = {v.name for v in variables(service.env) if v.secret}
            if path.is_file() and any(f"{name}=" in _text(path) for name in secret):
                yield self._file(path, files.PRIVATE_FILE)

    def _file(self, path: Path, wanted: int) -> File:
        found = path.stat()
        shown = str(path.relative_to(self._home.root))
        mode, mine = stat.S_IMODE(found.st_mode), found.st_uid == os.geteuid()
        return File(path=shown, mode=mode, wanted=wanted, owner=_name(found.st_uid), mine=mine)

    def _link(self) -> tuple[str, bool]:
        """What is wrong with the link beside the Compose files, and whether it can be made."""
        link = self._home.compose_file(files.COMPOSE_LINK)
        shown = str(link.relative_to(self._home.root))
        if link.is_symlink():
            good = link.exists() and link.resolve() == self._home.compose_env.resolve()
            return ("" if good else f"{shown} leads to {link.readlink()}", self._home.compose_env.is_file())
        if link.exists():
            return f"{shown} is a file of its own, so plain `docker compose` does not follow the settings", False
        return f"{shown} is missing, so plain `docker compose` finds no settings", self._home.compose_env.is_file()


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _kernel(name: str) -> int | None:
    text = _text(Path("/proc/sys") / name).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _half_written(state: Path) -> list[Path]:
    """Temporary files of `write_whole` whose writer was killed before it gave them their name."""
    old = time.time() - HALF_WRITTEN_SECONDS
    return sorted(p for p in _listed(state) if p.name.startswith(".") and p.is_file() and p.stat().st_mtime < old)


def _holder(lock: Path) -> str:
    """The process that holds a lock, as the kernel tells; empty where none does."""
    if not lock.exists():
        return ""
    inode = str(lock.stat().st_ino)
    for line in _text(Path("/proc/locks")).splitlines():
        words = line.split()
        if len(words) > 5 and words[5].rpartition(":")[2] == inode:
            return f"{_text(Path('/proc', words[4], 'comm')).strip() or 'a process'} (pid {words[4]})"
    return ""


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
