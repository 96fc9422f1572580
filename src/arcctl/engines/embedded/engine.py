"""The embedded engine: the services as local processes under one supervisor, for machines without Docker."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from arcctl.engines import disks, execution, machine
from arcctl.engines.base import (
    NOTHING,
    ContainerState,
    EngineFacts,
    Executed,
    Observed,
    RunsAs,
    Tell,
    Unavailable,
    Usage,
    silent,
)
from arcctl.engines.changes import every
from arcctl.engines.embedded import accounts, location, logs, processes, translation, usage
from arcctl.engines.embedded.artifacts import installed
from arcctl.engines.embedded.layout import Layout
from arcctl.engines.embedded.resolver import BinaryResolver
from arcctl.engines.embedded.supervisor import ProcessState, Supervised, Supervisor
from arcctl.engines.volumes import declared
from arcctl.errors import ArcError, EngineError, FileDamaged, PreflightError, ProjectError, SettingsError, UsageError
from arcctl.model.disk import Disk, fullest
from arcctl.model.env import ServiceEnv, load
from arcctl.model.graph import heights
from arcctl.model.names import LOOPBACK
from arcctl.model.service import Catalogue, Process, Role, volume_name
from arcctl.model.smoke_test import EphemeralContainer
from arcctl.settings import built_images, files
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.environment import snapshot
from arcctl.settings.installation import with_extra
from arcctl.settings.text import read_json

if TYPE_CHECKING:
    import asyncio

FIRST_RUN_SECONDS = 120.0
POLL_SECONDS = 0.2
"""Seconds between two looks at the processes."""
RECORD, OLD_RECORD = "process.json", "made.json"
"""The file that says what a process was started from, and the name that it once had."""
STARTS = "starts"
"""The file to which each start since the last command adds a line: the pid, and the size that the log had."""
FILES_GONE = "the files that it was started with are gone or damaged"
UNKNOWN = ProcessState(pid=0, state="dead")
"""A process that no supervisor knows and that does not run."""
UNSUPERVISED = "nothing would start it again: its supervisor does not answer"


def _started_at(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else ""


class EmbeddedEngine:
    """The services as supervised processes."""

    name = "embedded"
    default_services = ("all",)
    host = LOOPBACK
    remote = False

    def __init__(self, catalogue: Catalogue, directory: ProjectDirectory) -> None:
        self._catalogue = catalogue
        self._components = {k: c for k, c in catalogue.components().items() if c.process is not None}
        self._directory = directory
        self._base = location.base(directory.root)
        self._resolver = BinaryResolver(directory.root, catalogue)
        self._supervisor = Supervisor(self._base)
        self.defaults = {name: value for key in self._components for name, value in self._process(key).defaults.items()}

    def _process(self, key: str) -> Process[Any]:
        return translation.process_of(self._components[key])

    def named(self, project: str) -> EmbeddedEngine:
        """Its processes are known by the directory, which may have other data by now."""
        return EmbeddedEngine(built_images.of_project(self._catalogue, project), self._directory)

    def project_names(self) -> frozenset[str]:
        return frozenset()

    def others(self) -> Mapping[str, str]:
        return NOTHING

    @property
    def image_store(self) -> None:
        return None

    @property
    def unavailable(self) -> Mapping[str, Unavailable]:
        return self._resolver.unavailable()

    def facts(self) -> EngineFacts:
        if not (supervisor := installed("supervisor")):
            raise EngineError("the packages of the embedded engine are not installed", hint=with_extra())
        folder = next(p for p in (self._base, *self._base.parents) if p.is_dir())
        return EngineFacts(
            versions={"Supervisor": supervisor},
            memory=machine.memory(),
            cpus=machine.cores(),
            disk=disks.look(folder),
        )

    def observe(self) -> Observed:
        """A process exists where it was started here, or where it runs although somebody removed its files."""
        found, envs = self._supervisor.observe(), self._envs()
        records = {key: self._record(key) for key in self._components}
        states = {key: self._state(key, found.get(key, UNKNOWN), record, envs) for key, record in records.items()}
        return Observed({key: now for key, now in states.items() if records[key] or now.alive}, self.unavailable)

    def _state(
        self, key: str, now: ProcessState, record: Mapping[str, str], envs: Mapping[str, ServiceEnv]
    ) -> ContainerState:
        changes = {FILES_GONE: not record, UNSUPERVISED: not now.supervised}
        return ContainerState(
            state="paused" if now.state == "running" and processes.frozen(now.pid) else now.state,
            exit_code=now.exit_code,
            restarts=self._restarts(key),
            started_at=_started_at(now.started),
            changed=tuple(what for what, is_so in changes.items() if is_so),
            config_hash=record.get("hash", ""),
            image=self._components[key].container.image,
            image_id=record.get("artifact", ""),
            version=record.get("version", ""),
            ports=translation.local_ports(self._components[key], envs[key]) if envs else {},
        )

    def disks(self, observed: Observed) -> Mapping[str, Disk]:
        found: dict[str, list[Disk]] = {}
        for name, (key, _) in declared(self._catalogue, self).items():
            folder = self._base / "data" / name
            if key in observed.containers and (disk := disks.look(folder)):
                found.setdefault(key, []).append(disks.owned(disk, folder, self._base / "run" / key))
        return {key: worst for key, each in found.items() if (worst := fullest(each))}

    def hashes(self) -> Mapping[str, str]:
        if not self._envs():
            return {}
        layout = self._layout()
        return {key: layout.digest(key) for key, c in self._components.items() if self._resolver.source(c)}

    def volumes(self) -> tuple[str, ...]:
        """Raises EngineError where it is not known which data folder is that of this project."""
        self._refuse_lost_data()
        folder = self._base / "data"
        return tuple(sorted(p.name for p in folder.iterdir() if p.suffix != ".new")) if folder.is_dir() else ()

    def _refuse_lost_data(self) -> None:
        root = self._directory.root
        found = location.candidates(root) if self._directory.bootstrapped() else {}
        if not found:
            return
        write = f"echo {{}} > {shlex.quote(str(root / location.ID))}"
        folders = " or ".join(f"{folder} (of {owner})" for folder, owner in found.items())
        takes = (f"if its data is in {folder}: {write.format(folder.name)}" for folder in found)
        raise EngineError(
            f"this project has run, but its data is not where its directory says: it was renamed; look in {folders}",
            hint="; ".join((*takes, f"to start without data: {write.format(self._base.name)}")),
        )

    def volume_name(self, key: str, name: str) -> str:
        return volume_name(key, name)

    def create_volume(self, key: str, name: str) -> None:
        """For the user of the process; a server that is not built yet can be built where that user reaches it."""
        source, layout = self._resolver.source(self._components[key]), self._layout()
        built = source and self._resolver.artifacts.built(source)
        layout.create_volume(volume_name(key, name), layout.user(key) if built else accounts.unprivileged())

    def images(self, references: Iterable[str]) -> Mapping[str, str]:
        """The artifact that is used instead of each image, where it is built."""
        wanted, found = set(references), {}
        for component in self._components.values():
            source = self._resolver.source(component) if component.container.image in wanted else None
            if source and self._resolver.artifacts.built(source):
                found[component.container.image] = self._resolver.artifacts.path(source).name
        return found

    def runs_as(self, key: str) -> RunsAs:
        user = self._layout().user(key) if self._resolver.source(self._components[key]) else None
        return RunsAs(user.pw_name if user else pwd.getpwuid(os.geteuid()).pw_name, str(self._base))

    def refuse_address(self, address: str) -> None:
        if address != LOOPBACK:
            text = f"local processes listen on {LOOPBACK} only, and not on {address}"
            hint = f"arcctl --bind-address {LOOPBACK} up; or, for other machines: arcctl --engine docker up"
            raise PreflightError(text, hint=hint)

    def published_ports(self) -> frozenset[int]:
        """Always empty: the host itself knows who listens."""
        return frozenset()

    def port_owner(self, port: int) -> str:
        """Always empty: the host itself knows which process listens."""
        return ""

    def fetch(self, key: str) -> Iterator[str]:
        yield from self._resolver.artifacts.build(self._resolver.needed(self._components[key]))

    def recover(self, tell: Tell = silent) -> tuple[str, ...]:
        """End servers whose supervisor was killed, cannot be reached, or looks for its files where they were.

        They keep their ports, and nothing would start them again.
        """
        answers = self._supervisor.processes() is not None
        if not self._is_there() or (answers and not self._supervisor.is_renamed()):
            return ()
        with self._supervisor.locked():
            if not self._supervisor.is_lost(tell):  # another command started one meanwhile, or it was slow
                return ()
            ran = self._supervisor.running()
            self._supervisor.sweep(tell)
        return tuple(ran)

    def _is_there(self) -> bool:
        """Whether there are files of this project, or processes whose files somebody removed."""
        return self._base.is_dir() or bool(processes.working_below(self._base))

    def changes(self) -> AbstractAsyncContextManager[asyncio.Event]:
        return every(POLL_SECONDS)

    def create(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        """A process is what `start` makes of its files; one that is replaced ends now."""
        if recreate and self._supervisor.processes() is not None:
            with self._supervisor.locked():
                self._supervisor.stop(tuple(keys))

    def start(self, keys: Iterable[str]) -> None:
        keys = tuple(keys)
        with self._supervisor.locked():
            self._resolver.artifacts.share()
            layout = self._layout()
            self._supervisor.ensure(self._supervised(layout))
            for key in keys:
                self._prepare(layout, key)
                self._supervisor.start(key)

    def _prepare(self, layout: Layout, key: str) -> None:
        source = self._resolver.needed(self._components[key])
        layout.write(key)
        first = self._process(key).first_run
        for volume in layout.volumes(key):
            if first and not any(volume.iterdir()):
                self._first_run(layout, key, first, volume)
        record = {
            "hash": layout.digest(key),
            "artifact": self._resolver.artifacts.path(source).name,
            "version": self._resolver.artifacts.version(source),
        }
        files.write_whole(self._base / "run" / key / RECORD, json.dumps(record), files.PRIVATE_FILE)
        (self._base / "run" / key / STARTS).unlink(missing_ok=True)

    def _first_run(self, layout: Layout, key: str, command: tuple[str, ...], volume: Path) -> None:
        """Fill a data folder under another name, and rename it when it is complete."""
        user, log = layout.user(key), self._supervisor.log(key)
        fresh = volume.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        accounts.give(fresh, user)
        places = {**machine.WORDS, "{data}": str(fresh)}
        words = tuple(translation.filled(word, places) for word in layout.words(key, command))
        with log.open("a", encoding="utf-8") as stream:
            done = subprocess.run(
                words,
                env=layout.environment(key),
                cwd=fresh,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                timeout=FIRST_RUN_SECONDS,
                check=False,
                **accounts.as_user(user),
            )
        if done.returncode:
            raise EngineError(
                f"{key} could not be set up: {Path(words[0]).name} failed with exit code {done.returncode}",
                hint=f"arcctl logs {key}",
            )
        volume.rmdir()
        fresh.rename(volume)

    def _supervised(self, layout: Layout) -> dict[str, Supervised]:
        """Every process that can be started here; the supervisor starts and stops by height in the graph of needs."""
        owners = {k: n for i, n in heights(self._catalogue).items() for k in self._catalogue.components((i,))}
        return {
            key: Supervised(
                key=key,
                start=self._base / "run" / key / "start",
                priority=owners[key],
                stop_signal=self._process(key).stop_signal,
                grace=component.container.stop_grace,
                init=component.role is Role.INIT,
                user=user.pw_name if (user := layout.user(key)) else "",
            )
            for key, component in self._components.items()
            if self._resolver.source(component)
        }

    def unpause(self, keys: Iterable[str]) -> None:
        self._supervisor.unfreeze(tuple(keys))

    def execute(
        self,
        key: str,
        words: tuple[str, ...],
        *,
        environment: Mapping[str, str] = NOTHING,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
        terminal: bool = False,
        seconds: float | None = None,
    ) -> Executed:
        """A program of the server's artifact, else one of the machine, with the server's environment."""
        self._resolver.needed(self._components[key])
        layout = self._layout()
        local_words = layout.words(key, (f"{{artifact}}/bin/{words[0]}", *words[1:]))
        if not Path(local_words[0]).is_file():
            local_words = layout.words(key, words)
        variables = {"TERM": snapshot().get("TERM", "dumb"), **layout.environment(key), **environment}
        return execution.execute(local_words, variables, stdin=stdin, stdout=stdout, terminal=terminal, seconds=seconds)

    def usage(self, keys: tuple[str, ...]) -> Mapping[str, Usage]:
        found = self._supervisor.observe()
        return usage.of_processes({key: found[key].pid for key in keys if key in found})

    def disk(self) -> Mapping[str, int]:
        layout = self._layout() if self._envs() else None
        folders = {key: layout.volumes(key) for key in self._components} if layout else {}
        return {key: usage.of_folders(found) for key, found in folders.items() if found}

    def stop(self, keys: Iterable[str]) -> None:
        if self._supervisor.processes() is not None or self._supervisor.running():
            self._supervisor.stop(tuple(keys))

    def restart(self, keys: Iterable[str]) -> None:
        keys = tuple(keys)
        self.create(keys, recreate=True)
        self.start(keys)

    def start_ephemeral(self, key: str, ephemeral: EphemeralContainer) -> bool:
        return False

    def remove_ephemeral(self) -> None:
        """There are no containers here."""

    def remove(self, keys: Iterable[str], volumes: Iterable[str]) -> None:
        keys = tuple(keys)
        self.stop(keys)
        paths = (*(self._base / "run" / key for key in keys), *(self._base / "data" / name for name in volumes))
        with files.readable(self._base):
            for path in filter(Path.is_dir, paths):
                shutil.rmtree(path)

    def down(self, tell: Tell = silent, *, volumes: bool = False) -> None:
        if not self._is_there():
            return
        with self._supervisor.locked():
            self._supervisor.shutdown(tell)
            shutil.rmtree(self._base / "run", ignore_errors=True)
            for path in self._base.iterdir() if volumes else ():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if volumes:
            with contextlib.suppress(OSError):  # a disk of its own is mounted there
                self._base.rmdir()

    def logs(self, keys: Iterable[str], *, follow: bool = False, since: str = "", tail: str = "") -> Iterator[str]:
        if since:
            raise UsageError("the embedded engine does not support --since", hint="arcctl logs --tail 100")
        return logs.follow({key: self._supervisor.log(key) for key in keys}, follow=follow, tail=tail)

    def logs_of_last_run(self, key: str, *, tail: str) -> Iterator[str]:
        start = logs.last_run(self._base / "run" / key / STARTS)
        return logs.follow({key: self._supervisor.log(key)}, follow=False, tail=tail, start=start)

    def command(self) -> tuple[str, ...]:
        raise UsageError(
            "the embedded engine has no Compose files",
            hint="arcctl ps, or with Docker: arcctl --engine docker compose ps",
        )

    def _envs(self) -> dict[str, ServiceEnv]:
        """The settings of each process, as the last command wrote them; empty before `init`."""
        if not (values := self._directory.compose_values()):
            return {}
        try:
            return {key: load(component.env, values) for key, component in self._components.items()}
        except SettingsError as error:
            text = f"{self._directory.compose_env}: {error.message}"
            raise FileDamaged(text, hint="arcctl init, which writes it from the settings again") from None

    def _unusable(self) -> Iterator[ArcError]:
        """What `ProjectDirectory.unusable` tells is left out."""
        try:
            layout = self._layout() if self._envs() else None
        except FileDamaged:
            return
        for key, component in self._components.items():
            read = self._catalogue.config_paths(self._catalogue.owners((key,)))
            if not layout or not self._resolver.source(component) or self._directory.unusable(read):
                continue
            try:
                layout.digest(key)
            except (ProjectError, SettingsError) as error:
                yield error

    def _layout(self) -> Layout:
        chosen = {key: self._resolver.source(c) for key, c in self._components.items()}
        programs = {
            key: (self._resolver.artifacts.program(source), self._resolver.artifacts.path(source))
            for key, source in chosen.items()
            if source
        }
        return Layout(self._base, self._directory.root, self._components, self._envs(), programs)

    def _restarts(self, key: str) -> int:
        """How often the supervisor started a process again."""
        path = self._base / "run" / key / STARTS
        return max(0, len(path.read_bytes().splitlines()) - 1) if path.is_file() else 0

    def _record(self, key: str) -> dict[str, str]:
        """What a process was started from; empty where it was not started, or where the record is damaged."""
        with contextlib.suppress(FileDamaged):
            return self._read_record(key)
        return {}

    def _read_record(self, key: str) -> dict[str, str]:
        old = read_json(self._base / "run" / key / OLD_RECORD, dict[str, str], {})
        return read_json(self._base / "run" / key / RECORD, dict[str, str], old)

    def damaged(self) -> Iterator[ArcError]:
        """The damaged records of processes, and files with which they cannot be started."""
        yield from self._unusable()
        for key in self._components:
            try:
                self._read_record(key)
            except FileDamaged as error:
                yield FileDamaged(error.message, hint=f"arcctl up {key}, which starts it again and writes it anew")
