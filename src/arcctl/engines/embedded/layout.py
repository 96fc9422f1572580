"""Writes the files of local processes: configuration with local paths and addresses, and a start script."""

from __future__ import annotations

import hashlib
import pwd
import shlex
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from arcctl.engines import machine
from arcctl.engines.embedded import accounts, location, translation
from arcctl.engines.embedded.logs import log_file
from arcctl.engines.embedded.processes import IDENTITY
from arcctl.engines.embedded.supervisor import SETTINGS
from arcctl.engines.embedded.translation import Place
from arcctl.errors import SettingsError
from arcctl.model.env import ServiceEnv
from arcctl.model.service import BindMount, Component, ConfigFile, Routes, Volume
from arcctl.settings.files import PRIVATE_FILE, PRIVATE_FOLDER, UNDECODED, shared_folder, write_whole
from arcctl.settings.text import parse_yaml, read_text

DIRECTORY = "{directory}"

_START = """\
#!/bin/sh
# Written by arcctl when the process was started. The pid outlives the supervisor, which does not count its starts.
# Another process may get this pid later, but not with the same start.
# The folder tells it from one whose files were copied to here.
# The pid is moved into place, so that nobody who looks at that moment finds an empty file.
# The size of the log tells what is printed from now on. Its user may not open it.
rm -f {folder}/{identity}
echo $$ > {folder}/pid.new
mv {folder}/pid.new {folder}/pid
start=
{note_start}
[ -z "$start" ] || {{ echo "$start" && echo {folder}; }} > {folder}/{identity}
set -- $(ls -ln {log} 2>/dev/null)
echo "$$ ${{5:-0}}" >> {folder}/starts
cd {folder}
{exports}
exec {command}
"""


def start_script(folder: Path, exports: Iterable[str], command: str) -> str:
    """Of a process whose files are in this folder."""
    return _START.format(
        folder=shlex.quote(str(folder)),
        log=shlex.quote(str(log_file(folder.parents[1], folder.name))),
        identity=IDENTITY,
        note_start=machine.NOTE_START,
        exports="\n".join(exports),
        command=command,
    )


class Layout:
    """The files of all processes of one project, below `base`."""

    def __init__(
        self,
        base: Path,
        directory: Path,
        components: Mapping[str, Component[Any]],
        envs: Mapping[str, ServiceEnv],
        programs: Mapping[str, tuple[Path, Path]],
    ) -> None:
        """`programs` has the path of each server and of the folder that it was built to, by key."""
        self._base, self._directory = base, directory
        self._components, self._envs, self._programs = components, envs, programs
        self._ports = {key: translation.local_ports(c, envs[key]) for key, c in components.items()}

    def digest(self, key: str) -> str:
        """A hash of every file that a process reads at each start."""
        state, found = hashlib.sha256(), translation.mounts(self._components[key], self._envs[key])
        once = {Path(self._place(key).paths[m.path]) for m in found if isinstance(m, ConfigFile) and m.first_run}
        for path, text in sorted((p, t) for p, t in self._texts(key).items() if p not in once):
            state.update(f"{path}\0{text}\0".encode(errors=UNDECODED))
        return state.hexdigest()

    def volumes(self, key: str) -> tuple[Path, ...]:
        """The data folders of a process."""
        found = translation.mounts(self._components[key], self._envs[key])
        return tuple(Path(self._place(key).paths[m.path]) for m in found if isinstance(m, Volume))

    def words(self, key: str, command: tuple[str, ...]) -> tuple[str, ...]:
        """A command of this process, translated."""
        program, artifact = self._programs[key]
        first, *rest = translation.argv(command, self._place(key), str(program), str(artifact))
        return (shutil.which(first) or first, *rest)

    def environment(self, key: str) -> dict[str, str]:
        """The variables of a process."""
        component, env, place = self._components[key], self._envs[key], self._place(key)
        declared = {**component.container.environment(env), **translation.process_of(component).environment(env)}
        words = {DIRECTORY: str(self._directory), "{artifact}": str(self._programs[key][1])}
        texts = {name: translation.filled(place.translate(value), words) for name, value in declared.items()}
        return {**SETTINGS, "HOME": str(self._run(key)), **texts}

    def user(self, key: str) -> pwd.struct_passwd | None:
        """The user of a process; None for the caller."""
        component = self._components[key]
        values = translation.process_of(component).environment(self._envs[key]).values()
        reads_project = any(DIRECTORY in value for value in values)
        return accounts.run_as(self._programs[key][0], *([self._directory] if reads_project else ()))

    def write(self, key: str) -> None:
        """Everything that a process reads when it starts; existing data is not touched."""
        component, run, user = self._components[key], self._run(key), self.user(key)
        self._create()
        for folder in (run, *self.volumes(key), *(run / path.lstrip("/") for path in component.container.tmpfs)):
            _private_folder(folder, run if folder.is_relative_to(run) else folder, user)
        texts = self._texts(key)
        for path, text in texts.items():
            _private_folder(path.parent, run, user)
            _private_file(path, text, user)
        for gone in self._mounted(key) - set(texts):
            gone.unlink()

    def create_volume(self, name: str, user: pwd.struct_passwd | None) -> None:
        """An empty data folder."""
        self._create()
        folder = self._base / "data" / name
        _private_folder(folder, folder, user)

    def _create(self) -> None:
        """The folders of the project."""
        for folder in (self._base, self._base / "run", self._base / "data"):
            shared_folder(folder)
        location.claim(self._base, self._directory)

    def _run(self, key: str) -> Path:
        return self._base / "run" / key

    def _place(self, key: str) -> Place:
        component, env = self._components[key], self._envs[key]
        paths = translation.paths(key, component, env, str(self._run(key)), str(self._base / "data"))
        return Place(key, paths, self._ports)

    def _mounted(self, key: str) -> set[Path]:
        """The copies of mounted files that are there."""
        mounts, place = translation.mounts(self._components[key], self._envs[key]), self._place(key)
        folders = (Path(place.paths[mount.path]) for mount in mounts if isinstance(mount, BindMount))
        return {path for folder in folders for path in folder.rglob("*") if not path.is_dir()}

    def _texts(self, key: str) -> dict[Path, str]:
        place, found = self._place(key), {self._run(key) / "start": self._start(key)}
        for mount in translation.mounts(self._components[key], self._envs[key]):
            match mount:
                case ConfigFile(path=path, text=text):
                    found[Path(place.paths[path])] = translation.filled(place.translate(text), machine.WORDS)
                case BindMount(source, path):
                    found |= self._bind_mount(key, source, path)
                case Routes(path):
                    document = translation.routes(self._components, self._envs)
                    found[Path(place.paths[path])] = _yaml(document)
        return found

    def _bind_mount(self, key: str, source: str, path: str) -> dict[Path, str]:
        """The files of `config/`, patched and translated."""
        root, place = self._directory / "config" / source, self._place(key)
        files = [p for p in sorted(root.rglob("*")) if p.is_file()] if root.is_dir() else [root]
        patches = translation.process_of(self._components[key]).patches(self._envs[key])
        found = {}
        for file in files:
            inside = file.relative_to(root).as_posix() if file != root else ""
            patch = patches.get(f"{path}/{inside}" if inside else path)
            text = _patched(read_text(file), patch, str(file.relative_to(self._directory)))
            found[Path(place.paths[path]) / inside] = place.translate(text)
        return found

    def _start(self, key: str) -> str:
        exports = [f"export {name}={shlex.quote(value)}" for name, value in self.environment(key).items()]
        command = shlex.join(self.words(key, translation.process_of(self._components[key]).command(self._envs[key])))
        return start_script(self._run(key), exports, command)


def _patched(text: str, patch: Any, name: str) -> str:
    if patch is None:
        return text
    document = parse_yaml(text, name)
    if not isinstance(document, dict):
        raise SettingsError(f"{name}, line 1: names and values are expected here", hint=f"edit {name}")
    return _yaml(translation.merged(document, patch))


def _yaml(document: Any) -> str:
    import yaml

    return yaml.safe_dump(document, sort_keys=False)


def _private_folder(folder: Path, top: Path, user: pwd.struct_passwd | None) -> None:
    """A folder, with those between it and `top`, that only the server's user can enter."""
    missing = [folder, *folder.parents]
    for path in reversed([p for p in missing if p.is_relative_to(top) and not p.exists()]):
        path.mkdir(mode=PRIVATE_FOLDER)
        accounts.give(path, user)


def _private_file(path: Path, text: str, user: pwd.struct_passwd | None) -> None:
    if path.is_symlink():
        path.unlink()
    write_whole(path, text, PRIVATE_FILE)
    accounts.give(path, user)
