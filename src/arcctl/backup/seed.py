"""`up --seed-from`: a project without data gets that of another one, from a backup or by copying its volumes.

Nothing of it has started by then, but for servers whose databases are restored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from arcctl.backup.base import BackupTools, DataCopier
from arcctl.backup.clients.pipe import piped
from arcctl.backup.clients.repository import Backup, BackupRepository, project_files
from arcctl.backup.manifest import Kind
from arcctl.backup.report import SeedPlan, SeedReport
from arcctl.backup.restore import Restore, refusal, restore_parts
from arcctl.backup.seed_plan import Inherited, bound, by_preference, conflicts, contents, inherited
from arcctl.backup.servers import has_data
from arcctl.engines.volumes import declared
from arcctl.errors import ArcError, BackupError, EngineError, KeyRefused, PreflightError, SettingsError, UsageError
from arcctl.events import Event
from arcctl.events import Kind as EventKind
from arcctl.lifecycle import data_versions, seeding
from arcctl.lifecycle.naming import named
from arcctl.lifecycle.preflight import elsewhere
from arcctl.model.backup_method import Dump, Folder
from arcctl.model.data_version import SERVERS_NOTE
from arcctl.model.env import symbolic
from arcctl.model.graph import start_order
from arcctl.project import Project, ensure_secrets, project_lock, refuse_other_project
from arcctl.settings.dotenv import parse_env

Tools = Callable[[Project], BackupTools]
"""What works on the backups and the data of a project."""
Again = Callable[[], Project]
"""The project as its files say now: settings that came with the data choose images, too."""
EVERY = 5.0
"""Seconds between two reports on a copy that takes long."""
MEGABYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Seed:
    key_file: str = ""
    """A file with the passphrase or the age identity of the backup; empty for the other project's passphrase."""


@dataclass(frozen=True)
class _Source:
    """Where the data comes from, and what of it is taken."""

    plan: SeedPlan
    backup: Backup | None
    volumes: dict[str, tuple[str, ...]]
    """Those that are copied where there is no backup, by the component that has them."""
    inherited: Inherited


def preview(request: Seed, project: Project, other: Project, tools: Tools) -> SeedPlan:
    """What `seed` would do. Raises what it raises before it changes anything."""
    _refuse_data(project)
    return _source(request, project, other, tools).plan


async def seed(
    request: Seed, project: Project, other: Project, tools: Tools, again: Again
) -> tuple[Project, SeedReport]:
    """The project with its name, settings and secrets. Raises PreflightError where it has data; a failure leaves none.

    What a seeding left that was cut off is removed first.
    """
    with await project_lock(project):
        project = named(project)
        refuse_other_project(project.engine.observe(), project)
        _refuse_data(project)
        return await _Seeding(request, project, other, tools, again).run()


def _refuse_data(project: Project) -> None:
    volumes = project.engine.volumes()
    if volumes and not seeding.source(project):
        raise PreflightError(
            f"this project has data already: {', '.join(volumes)}",
            hint="arcctl up, which starts with it; to have other data: arcctl backup create, then arcctl clean",
        )


def _source(request: Seed, project: Project, other: Project, tools: Tools) -> _Source:
    """Raises UsageError for a project without data, PreflightError for one whose data cannot be had now."""
    backup = _backup(request, other, tools(other).repository)
    found = _from_backup(backup, project, other) if backup else _from_volumes(project, other)
    if not found.plan.taken:
        why = "; ".join(f"{service}: {reason}" for service, reason in found.plan.left_out.items())
        raise PreflightError(f"nothing of the data of {other.name} can be used here: {why}", hint="arcctl up")
    if odd := conflicts(found.inherited, project.sources, project.catalogue):
        raise SettingsError(
            f"the data of {other.name} was written with other secrets than those of this project: {', '.join(odd)}",
            hint="remove these settings, and run the same command again",
        )
    return found


def _backup(request: Seed, other: Project, repository: BackupRepository) -> Backup | None:
    """The best one that can be opened; None where there is none. Raises KeyRefused for a key that opens none."""
    refused: ArcError | None = None
    for entry in by_preference(repository.entries(), _with_data(other)):
        backup = repository.find(entry.name)
        try:
            if damages := backup.damages():
                raise BackupError("; ".join(damages))
            backup.unlock(request.key_file)
        except (BackupError, KeyRefused) as error:
            refused = error
            other.note(f"the backup {entry.name} of {other.name} is not used: {error.message}")
        else:
            return backup
    if request.key_file:
        raise refused or UsageError(f"the project {other.name} has no backup", hint=f"arcctl -p {other.name} status")
    return None


def _with_data(other: Project) -> tuple[str, ...]:
    """Its services with data; all of them where its engine does not say."""
    try:
        volumes = other.engine.volumes()
    except EngineError:
        return tuple(other.catalogue.services)
    return tuple(i for i, s in other.catalogue.services.items() if has_data(s, volumes, other.engine))


def _from_backup(backup: Backup, project: Project, other: Project) -> _Source:
    observed, manifest, local = project.engine.observe(), backup.manifest, project.engine.image_store is None
    left_out = {
        service: reason
        for service in manifest.services
        if (reason := bound(service, project.catalogue, local=local) or refusal(service, manifest, observed, project))
    }
    lost = {i: "it is not in the backup" for i in _with_data(other) if i not in manifest.services and _keeps(i, other)}
    order = [i for i in start_order(project.catalogue) if i in manifest.services and i not in left_out]
    found = _inherited(backup.project_files(), project)
    plan = SeedPlan(
        source=other.name,
        directory=str(other.directory.root),
        backup=backup.path.name,
        created_at=manifest.created_at,
        taken={service: contents(service, manifest) for service in order},
        left_out={**left_out, **lost},
        settings=_names(found),
    )
    return _Source(plan, backup, {}, found)


def _keeps(service: str, other: Project) -> bool:
    """Whether it has a way to be backed up; only then its data is missed."""
    found = other.catalogue.services[service]
    return bool(found.backup(symbolic(found.env)))


def _from_volumes(project: Project, other: Project) -> _Source:
    volumes = other.engine.volumes()
    if not volumes:
        raise UsageError(f"the project {other.name} has no data", hint="arcctl up")
    _refuse_copy(project, other)
    unavailable, local = project.engine.observe().unavailable, project.engine.image_store is None
    here, there = project.catalogue.components(), declared(other.catalogue, other.engine)
    taken: dict[str, tuple[str, ...]] = {}
    left_out = {name: "no service declares this volume" for name in volumes if name not in there}
    for name in (name for name in there if name in volumes):
        key, mount = there[name]
        (service,) = other.catalogue.owners((key,))
        if reason := bound(service, project.catalogue, local=local):
            left_out[service] = reason
        elif service in unavailable:
            left_out[service] = f"not available here: {unavailable[service].reason}"
        elif key not in here:
            left_out[service] = "this project has no such service"
        else:
            taken[key] = (*taken.get(key, ()), mount.name)
    found = _inherited(project_files(other.directory), project)
    plan = SeedPlan(
        source=other.name,
        directory=str(other.directory.root),
        taken={key: f"volumes {', '.join(names)}" for key, names in taken.items()},
        left_out=left_out,
        settings=_names(found),
    )
    return _Source(plan, None, taken, found)


def _refuse_copy(project: Project, other: Project) -> None:
    """Raises PreflightError where the volumes of the other project cannot be copied as they are now."""
    name, engine = other.name, other.engine.name
    create = f"arcctl -p {name} backup create"
    if engine != project.engine.name:
        raise PreflightError(
            f"the data of {name} is in the {engine} engine, and only a backup brings it to {project.engine.name}",
            hint=f"arcctl -p {name} up, then {create}",
        )
    _refuse_running(other)
    text, back = elsewhere(other.engine.facts(), other)
    if text:
        raise PreflightError(f"{name}: {text}", hint=back)
    if other.directory.rotation():
        raise PreflightError(
            f"a rotation of the secrets of {name} was interrupted", hint=f"arcctl -p {name} secrets rotate"
        )


def _refuse_running(other: Project) -> None:
    name, containers = other.name, other.engine.observe().containers
    if running := [key for key, now in containers.items() if now.alive]:
        raise PreflightError(
            f"the project {name} has no backup that can be opened, and its volumes cannot be copied while it is "
            f"running: {', '.join(sorted(running))}",
            hint=f"arcctl -p {name} backup create, or stop it while they are copied: arcctl -p {name} down",
        )


def _inherited(texts: dict[str, str], project: Project) -> Inherited:
    """From the files of the other project, by their path in it."""
    parsed = {path: parse_env(text, path) for path, text in texts.items() if path.endswith(".env")}
    secrets = parsed.pop(f"{project.directory.state.name}/{project.directory.secrets_file.name}", {})
    return inherited(secrets, {path.split("/")[1]: values for path, values in parsed.items()}, project.catalogue)


def _names(found: Inherited) -> tuple[str, ...]:
    return tuple(sorted(name for values in found.settings.values() for name in values))


@dataclass
class _Seeding:
    request: Seed
    project: Project
    other: Project
    tools: Tools
    again: Again
    _began: float = field(default_factory=time.monotonic)

    async def run(self) -> tuple[Project, SeedReport]:
        if before := seeding.source(self.project):
            self.project.note(f"removing what a command left that was copying the data of {before}")
            self._remove()
        source = _source(self.request, self.project, self.other, self.tools)
        for service, reason in source.plan.left_out.items():
            self._emit(EventKind.WARNING, "", f"{service} starts without data of {self.other.name}: {reason}")
        seeding.begin(self.other.name, self.project)
        try:
            self._take_over(source.inherited)
            await (self._restore(source.backup, source.plan) if source.backup else self._copy(source.volumes))
        except BaseException:
            self._remove()
            raise
        seeding.end(self.project)
        return self.project, SeedReport(plan=source.plan, seconds=time.monotonic() - self._began)

    def _remove(self) -> None:
        """All data, which is that of the other project, and the servers that have it."""
        engine, observed = self.project.engine, self.project.engine.observe()
        engine.remove_ephemeral()
        volumes = engine.volumes()
        owners = {key for name, (key, _) in declared(self.project.catalogue, engine).items() if name in volumes}
        engine.remove([key for key in sorted(owners) if key in observed.containers], volumes)
        seeding.end(self.project)

    def _take_over(self, found: Inherited) -> None:
        """Secrets and settings, and that this engine has data of the project."""
        directory = self.project.directory
        own = {source.owner: source.values for source in self.project.sources if source.owner}
        for service, values in found.settings.items():
            for name in values.keys() - own.get(service, {}).keys():
                directory.set_value(service, name, values[name])
        directory.keep_secrets(found.secrets)
        directory.remember_engine(self.project.engine.name, self.project.engine.facts().which)
        directory.remember_engine("")  # nothing runs yet
        self.project = ensure_secrets(self.again(), ())

    async def _restore(self, backup: Backup, plan: SeedPlan) -> None:
        """Files before any server has started; databases by their server."""
        tools, dumps = self.tools(self.project), []
        for service in plan.taken:
            await asyncio.sleep(0)  # Ctrl-C ends it here
            method = self.project.catalogue.services[service].backup(self.project.settings.envs[service])
            if isinstance(method, Dump):
                dumps.append(service)
            elif method:
                self._unpack(service, tools.copiers(service, method), backup)
        if dumps:
            request = Restore(name=str(backup.path), words=tuple(dumps), key_file=self.request.key_file)
            done = await restore_parts(request, self.project, tools, backup, tuple(dumps))
            if done.failed:
                raise BackupError(
                    "; ".join(f"{i}: {reason}" for i, reason in done.failed.items()), hint="arcctl doctor"
                )
        self.project.directory.remember_bootstrapped(())

    def _unpack(self, service: str, copier: DataCopier, backup: Backup) -> None:
        self._emit(EventKind.WORKING, service, f"unpacking its files from the backup {backup.path.name}")
        for part in backup.manifest.of(service):
            self.project.engine.create_volume(service, part.name)
            backup.read(part, partial(copier.load, part.kind, part.name))
        self._finish(service, copier)

    async def _copy(self, volumes: dict[str, tuple[str, ...]]) -> None:
        """While no other command can start the other project."""
        theirs, ours = self.tools(self.other), self.tools(self.project)
        with await project_lock(self.other):
            _refuse_running(self.other)
            sizes = self.other.engine.disk()
            for key, names in volumes.items():
                files = Folder(*_first_and_others(names))
                there, here = theirs.copiers(key, files), ours.copiers(key, files)
                text = f"copying {', '.join(names)} of {self.other.name}"
                self._emit(EventKind.WORKING, key, text)
                tell = _Progress(partial(self._emit, EventKind.WORKING, key), text, sizes.get(key, 0))
                for name in names:
                    self.project.engine.create_volume(key, name)
                    await piped(partial(there.save, Kind.FOLDER, name), partial(here.load, Kind.FOLDER, name), tell)
                self._finish(key, here)
            for note in (data_versions.NOTE, SERVERS_NOTE):
                self.project.directory.keep_note(note, self.other.directory.note(note))
        self.project.directory.remember_bootstrapped(())

    def _finish(self, key: str, copier: DataCopier) -> None:
        copier.swap()
        copier.commit()
        for remark in copier.remarks():
            self.project.note(f"{key}: {remark}")
        self._emit(EventKind.READY, key, f"has the data of {self.other.name}")

    def _emit(self, kind: EventKind, subject: str, text: str) -> None:
        self.project.sink(Event(kind, subject, text, time.monotonic() - self._began))


def _first_and_others(names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    first, *others = names
    return first, tuple(others)


@dataclass
class _Progress:
    """Tells now and then how much was copied."""

    say: Callable[[str], None]
    text: str
    total: int
    _done: int = 0
    _said: float = field(default_factory=time.monotonic)

    def __call__(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            of = f" of {self.total // MEGABYTE}" if self.total else ""
            self.say(f"{self.text}: {self._done // MEGABYTE}{of} MiB")
