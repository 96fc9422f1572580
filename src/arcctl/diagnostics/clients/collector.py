"""Collects facts on this machine for `doctor`, and does its repairs."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pwd
import resource
import socket
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

from arcctl.diagnostics.diagnosis import Aside, EnvLink, Leftover, Mode, Repair
from arcctl.diagnostics.facts import EngineReport, File, Host, ProjectFacts, Removable
from arcctl.engines import disks, machine
from arcctl.engines.base import Engine
from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.embedded import accounts, artifacts, usage
from arcctl.engines.embedded.engine import EmbeddedEngine
from arcctl.errors import ArcError
from arcctl.model.env import variables
from arcctl.model.service import Catalogue
from arcctl.settings import directory, files
from arcctl.settings.directory import ProjectDirectory

LINK = f"compose/{directory.COMPOSE_LINK}"
NOT_PRIVATE = ("lock",)
"""Files of the state folder without content."""
RESOLVE_SECONDS = 2.0
INCOMPLETE_SECONDS = 60.0
"""A temporary file that is older was left by a command that was killed."""


class LocalCollector:
    """One project on this machine, and its engine."""

    def __init__(
        self,
        directory: ProjectDirectory,
        catalogue: Catalogue,
        engine: Engine,
        problems: tuple[ArcError, ...] = (),
    ) -> None:
        self._directory, self._catalogue, self._engine, self._problems = directory, catalogue, engine, problems

    def host(self) -> Host:
        return Host(
            python=sys.version_info[:3],
            interpreter=sys.executable,
            now=time.time(),
            wsl=machine.windows_subsystem(),
            user=_name(os.geteuid()),
            home=str(Path.home().resolve()),
            root=os.geteuid() == 0,
            unprivileged=os.geteuid() != 0 or accounts.unprivileged() is not None,
            open_files=resource.getrlimit(resource.RLIMIT_NOFILE),
            inotify_watches=machine.kernel_setting("fs/inotify/max_user_watches"),
            inotify_instances=machine.kernel_setting("fs/inotify/max_user_instances"),
            overcommit=machine.kernel_setting("vm/overcommit_memory"),
            lowest_port=machine.lowest_port(),
        )

    def directory(self) -> ProjectFacts:
        private = tuple(self._private())
        state = self._directory.state
        return ProjectFacts(
            root=str(self._directory.root),
            initialised=self._initialised(),
            private=private,
            disk=disks.look(state if state.is_dir() else self._directory.root),
            mounted=tuple(self._mounted()),
            selinux_label=machine.security_label(self._path("config")),
            newest=max((self._path(file.path).stat().st_mtime for file in private), default=0.0),
            link=self._link_problem(),
            link_path=LINK,
            linkable=self._directory.compose_env.is_file() and not self._link_blocked(),
            link_blocked=self._link_blocked(),
            leftovers=tuple(str(p.relative_to(self._directory.root)) for p in _incomplete(state)),
            busy=_lock_owner(state / "lock"),
            unreadable=tuple(self._unreadable()),
        )

    def _initialised(self) -> bool:
        try:
            return bool(self._directory.secrets())
        except ArcError:
            return True

    def _unreadable(self) -> Iterator[tuple[str, str, str]]:
        damaged = self._directory.damaged()
        aside = {error.message: str(path.relative_to(self._directory.root)) for path, error in damaged.items()}
        mounted = self._directory.unusable(self._catalogue.config_paths())
        local = self._engine.damaged() if isinstance(self._engine, EmbeddedEngine) else ()
        errors = {error.message: error for error in (*self._problems, *mounted, *local)}
        yield from ((error.message, error.hint, aside.get(text, "")) for text, error in errors.items())

    def engine(self) -> EngineReport:
        if isinstance(self._engine, DockerEngine):
            from arcctl.diagnostics.clients import docker

            return docker.report(self._engine, self._directory, self._catalogue)
        from arcctl.diagnostics.clients import embedded

        return embedded.report(self._engine, self._directory, self._catalogue)

    def unresolved(self, names: Iterable[str]) -> tuple[str, ...]:
        names, found = tuple(names), set[str]()
        threads = [Thread(target=_resolve, args=(name, found), daemon=True) for name in names]
        for thread in threads:
            thread.start()
        end = time.monotonic() + RESOLVE_SECONDS  # a name server may not answer
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return tuple(name for name in names if name not in found)

    def removable(self, path: str) -> tuple[Removable, ...]:
        there = ((place, item) for place, item in self._removable() if _device(place) == _device(Path(path)))
        sized = (replace(item, size=usage.of_folders([place])) for place, item in there)
        return tuple(item for item in sized if item.size)

    def _removable(self) -> Iterator[tuple[Path, Removable]]:
        """Each with its place; measuring it takes long where it is big."""
        backups = sorted(f for f in _listed(self._directory.state / "backups") if f.suffix != ".new")
        for folder in backups[:-1]:  # the newest may be the only way back
            yield folder, Removable(what="an old backup", command=f"arcctl backup delete {folder.name}")
        runs = "arcctl down, then " if self._directory.engine() == EmbeddedEngine.name else ""
        yield artifacts.cache(), Removable(what="servers that were built", command=f"{runs}arcctl engine clean")

    def repair(self, repair: Repair) -> str:
        with files.readable(self._directory.root):
            match repair:
                case Mode(path, mode):
                    self._path(path).chmod(mode)
                    return f"{path} now has mode {mode:04o}"
                case Leftover(path):
                    _remove(self._path(path))
                    return f"removed {path}"
                case Aside(path):
                    damaged = self._directory.damaged()[self._path(path)]
                    self._problems = tuple(error for error in self._problems if error.message != damaged.message)
                    return self._directory.set_aside(self._path(path))
                case EnvLink(path):
                    self._path(path).unlink(missing_ok=True)
                    self._directory.link_compose_env()
                    return f"linked {path}"

    def _path(self, path: str) -> Path:
        return self._directory.root / path

    def _private(self) -> Iterator[File]:
        """The state folder, its files, and each `.env` of a user with a secret in it."""
        state = self._directory.state
        if state.is_dir():
            yield self._file(state, files.PRIVATE_FOLDER)
            inside = sorted(p for p in _listed(state) if p.is_file() and p.name not in NOT_PRIVATE)
            yield from (self._file(path, files.PRIVATE_FILE) for path in inside)
        for service_id, service in self._catalogue.services.items():
            path = self._directory.root / "config" / service_id / ".env"
            secret = {v.name for v in variables(service.env) if v.secret}
            if path.is_file() and any(f"{name}=" in _text(path) for name in secret):
                yield self._file(path, files.PRIVATE_FILE)

    def _mounted(self) -> Iterator[File]:
        """What containers mount and their users cannot read."""
        for path, (_, wanted) in self._directory.unreadable_mounts(self._catalogue.bind_mounts()).items():
            yield self._file(self._path(path), wanted)

    def _file(self, path: Path, wanted: int) -> File:
        found = path.stat()
        shown = str(path.relative_to(self._directory.root))
        mode, mine = stat.S_IMODE(found.st_mode), found.st_uid == os.geteuid()
        return File(path=shown, mode=mode, wanted=wanted, owner=_name(found.st_uid), mine=mine)

    def _link_problem(self) -> str:
        link = self._path(LINK)
        if self._link_blocked():
            return f"{LINK} is a regular file, so plain `docker compose` does not follow the settings"
        if not link.is_symlink():
            return f"{LINK} is missing, so plain `docker compose` finds no settings"
        good = link.exists() and link.resolve() == self._directory.compose_env.resolve()
        return "" if good else f"{LINK} points to {link.readlink()}"

    def _link_blocked(self) -> bool:
        link = self._path(LINK)
        return link.exists() and not link.is_symlink()


def _resolve(name: str, found: set[str]) -> None:
    """Add a name to those found where its addresses are this machine's own."""
    with contextlib.suppress(OSError):
        addresses = {str(item[4][0]) for item in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)}
        if all(ipaddress.ip_address(address).is_loopback for address in addresses):
            found.add(name)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _device(path: Path) -> int:
    """The number of the file system; 0 where there is no such path."""
    try:
        return path.stat().st_dev
    except OSError:
        return 0


def _incomplete(state: Path) -> list[Path]:
    """Temporary files of `write_whole`, and backups, whose writer was killed."""
    old = time.time() - INCOMPLETE_SECONDS
    hidden = [p for p in _listed(state) if p.name.startswith(".") and p.name != directory.GITIGNORE and p.is_file()]
    folders = [p for p in _listed(state / "backups") if p.suffix == ".new"]
    return sorted(p for p in (*hidden, *folders) if p.stat().st_mtime < old)


def _lock_owner(lock: Path) -> str:
    """The process that holds a lock, as the kernel says; empty where none does."""
    if not lock.exists():
        return ""
    pid = machine.lock_owner(lock.stat().st_ino)
    found = machine.process(pid) if pid else None
    return f"{found.name if found else 'a process'} (pid {pid})" if pid else ""


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
