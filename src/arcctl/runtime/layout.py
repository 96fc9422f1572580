"""Lays out the files of local processes: configuration translated to local paths and addresses, and a start script."""

from __future__ import annotations

import hashlib
import os
import pwd
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arcctl.core import local
from arcctl.core.env import ServiceEnv
from arcctl.core.local import Place
from arcctl.core.model import Bind, Container, Inline, Routes, Volume
from arcctl.runtime import accounts
from arcctl.runtime.files import PRIVATE_FILE, PRIVATE_FOLDER, write_whole
from arcctl.runtime.supervision import SETTINGS

HOME = "{home}"
SHARED_FOLDER = 0o755
OWNER = "home"
"""The file that names the home which the processes are of."""

_START = """\
#!/bin/sh
# Written by arcctl when the process was started. The pid outlives the supervisor.
echo $$ > {folder}/pid
cd {folder}
{exports}
exec {command}
"""


class Layout:
    """The files of all processes of one home, below `base`."""

    def __init__(
        self,
        base: Path,
        home: Path,
        containers: Mapping[str, Container[Any]],
        envs: Mapping[str, ServiceEnv],
        programs: Mapping[str, tuple[Path, Path]],
    ) -> None:
        """`programs` has the server and the folder of its artifact, by key."""
        self._base, self._home = base, home
        self._containers, self._envs, self._programs = containers, envs, programs
        self._ports = {key: local.local_ports(c, envs[key]) for key, c in containers.items()}

    def digest(self, key: str) -> str:
        """A hash over everything that is written for a process and read at each of its starts."""
        state, found = hashlib.sha256(), local.mounts(self._containers[key], self._envs[key])
        once = {Path(self._place(key).paths[m.path]) for m in found if isinstance(m, Inline) and m.first_run}
        for path, text in sorted((p, t) for p, t in self._texts(key).items() if p not in once):
            state.update(f"{path}\0{text}\0".encode())
        return state.hexdigest()

    def volumes(self, key: str) -> tuple[Path, ...]:
        """The data folders of a process."""
        found = local.mounts(self._containers[key], self._envs[key])
        return tuple(Path(self._place(key).paths[m.path]) for m in found if isinstance(m, Volume))

    def words(self, key: str, command: tuple[str, ...]) -> tuple[str, ...]:
        """A command of this process with local words in it."""
        program, artifact = self._programs[key]
        first, *rest = local.argv(command, self._place(key), str(program), str(artifact))
        return (shutil.which(first) or first, *rest)

    def environment(self, key: str) -> dict[str, str]:
        """The variables of a process."""
        container, env, place = self._containers[key], self._envs[key], self._place(key)
        own = {**container.environment(env), **local.process_of(container).environment(env)}
        words = {HOME: str(self._home), "{artifact}": str(self._programs[key][1])}
        texts = {name: local.filled(place.translate(value), words) for name, value in own.items()}
        return {**SETTINGS, "HOME": str(self._run(key)), **texts}

    def user(self, key: str) -> pwd.struct_passwd | None:
        """The account of a process; None for the caller's own."""
        container = self._containers[key]
        own = local.process_of(container).environment(self._envs[key]).values()
        reads_home = any(HOME in value for value in own)
        return accounts.run_as(self._programs[key][0], *([self._home] if reads_home else ()))

    def write(self, key: str) -> None:
        """Everything a process finds when it starts; data that exists is left alone."""
        container, run, user = self._containers[key], self._run(key), self.user(key)
        for folder in (self._base, self._base / "run", self._base / "data"):
            folder.mkdir(mode=SHARED_FOLDER, exist_ok=True)
        write_whole(self._base / OWNER, f"{self._home}\n")
        for folder in (run, *self.volumes(key), *(run / path.lstrip("/") for path in container.tmpfs)):
            _own_folder(folder, run if folder.is_relative_to(run) else folder, user)
        for path, text in self._texts(key).items():
            _own_folder(path.parent, run, user)
            _own_file(path, text, user)

    def _run(self, key: str) -> Path:
        return self._base / "run" / key

    def _place(self, key: str) -> Place:
        container, env = self._containers[key], self._envs[key]
        paths = local.paths(key, container, env, str(self._run(key)), str(self._base / "data"))
        return Place(key, paths, self._ports)

    def _texts(self, key: str) -> dict[Path, str]:
        place, found = self._place(key), {self._run(key) / "start": self._start(key)}
        for mount in local.mounts(self._containers[key], self._envs[key]):
            match mount:
                case Inline(path=path, text=text):
                    found[Path(place.paths[path])] = place.translate(text)
                case Bind(source, path):
                    found |= self._bound(key, source, path)
                case Routes(path):
                    document = local.routes(self._containers, self._envs)
                    found[Path(place.paths[path])] = _yaml(document)
        return found

    def _bound(self, key: str, source: str, path: str) -> dict[Path, str]:
        """The files of `config/`, patched and translated."""
        root, place = self._home / "config" / source, self._place(key)
        files = [p for p in sorted(root.rglob("*")) if p.is_file()] if root.is_dir() else [root]
        patches = local.process_of(self._containers[key]).patches(self._envs[key])
        found = {}
        for file in files:
            inside = file.relative_to(root).as_posix() if file != root else ""
            text = _patched(file.read_text(), patches.get(f"{path}/{inside}" if inside else path))
            found[Path(place.paths[path]) / inside] = place.translate(text)
        return found

    def _start(self, key: str) -> str:
        exports = [f"export {name}={shlex.quote(value)}" for name, value in self.environment(key).items()]
        command = shlex.join(self.words(key, local.process_of(self._containers[key]).command(self._envs[key])))
        return _START.format(folder=shlex.quote(str(self._run(key))), exports="\n".join(exports), command=command)


def _patched(text: str, patch: Any) -> str:
    if patch is None:
        return text
    import yaml

    return _yaml(local.merged(yaml.safe_load(text), patch))


def _yaml(document: Any) -> str:
    import yaml

    return yaml.safe_dump(document, sort_keys=False)


def _own_folder(folder: Path, top: Path, user: pwd.struct_passwd | None) -> None:
    """A folder, and those between it and `top`, that only the server's user can enter."""
    missing = [folder, *folder.parents]
    for path in reversed([p for p in missing if p.is_relative_to(top) and not p.exists()]):
        path.mkdir(mode=PRIVATE_FOLDER)
        accounts.give(path, user)


def _own_file(path: Path, text: str, user: pwd.struct_passwd | None) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    accounts.give(path, user)
