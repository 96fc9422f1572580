"""`backup restore`: the data of each service is replaced whole, or stays as it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from arcctl.backup import servers
from arcctl.backup.base import BackupTools, DataCopier
from arcctl.backup.clients.repository import Backup
from arcctl.backup.manifest import Manifest
from arcctl.backup.plan import machine_settings, obstacle, secrets_id, settings_in, to_restore
from arcctl.backup.report import Change, Preview, RestoreReport
from arcctl.backup.servers import has_data, not_answering, server_of
from arcctl.checks.causes import no_backup
from arcctl.checks.damage import damages
from arcctl.engines.base import Observed
from arcctl.errors import ArcError, BackupError
from arcctl.events import Event
from arcctl.events import Kind as EventKind
from arcctl.lifecycle import seeding, up
from arcctl.model.backup_method import Dump, Folder, Method
from arcctl.model.graph import closure
from arcctl.model.service import Volume
from arcctl.project import Project, project_lock, refuse_other_project
from arcctl.settings.resolve import lookup

ANOTHER = "choose another one: arcctl backup list"


@dataclass(frozen=True, kw_only=True)
class Restore:
    name: str
    words: tuple[str, ...] = ()
    key_file: str = ""
    """A file with the passphrase or the age identity; empty for the project's passphrase."""
    secrets: bool = False
    """The secrets and settings of the project too, but for settings of the machine."""


class _NotUndone(BackupError):
    """The data of the backup is in its place, and cannot be taken out again."""


async def restore(request: Restore, project: Project, tools: BackupTools) -> RestoreReport:
    """Asks nothing: `preview` says what it replaces. Raises before it changes anything where a file is damaged."""
    backup = tools.repository.find(request.name)
    chosen = to_restore(request.words, backup.manifest, project.catalogue)
    damages = backup.damages()
    if damages:
        raise BackupError(f"{request.name} is damaged: {'; '.join(damages)}", hint=ANOTHER)
    backup.unlock(request.key_file)
    with await project_lock(project):
        seeding.refuse(project)
        return await restore_parts(request, project, tools, backup, chosen)


async def restore_parts(
    request: Restore, project: Project, tools: BackupTools, backup: Backup, chosen: tuple[str, ...]
) -> RestoreReport:
    """These services, of a backup that is unlocked, for a caller that holds the project's lock."""
    return await _Restoration(request, project, tools, backup, chosen).run()


def preview(request: Restore, project: Project, tools: BackupTools) -> Preview:
    """What a restore would do."""
    manifest, secrets = tools.repository.find(request.name).manifest, project.directory.secrets()
    observed, volumes = project.engine.observe(), project.engine.volumes()
    refuse_other_project(observed, project)

    def current(service: str) -> str:
        """The data of a service; where no server can say, or the secrets are lost, at least that there is some."""
        declared = project.catalogue.services.get(service)
        if declared is None or not has_data(declared, volumes, project.engine):
            return ""
        method = declared.backup(project.settings.envs[service]) if secrets else None
        return (
            tools.copiers(service, method).present(manifest.names(service)) if method else ""
        ) or "data that cannot be read now"

    def change(service: str) -> Change:
        parts = manifest.of(service)
        return Change(
            service=service,
            current=current(service),
            restored=manifest.contents(service),
            bytes=sum(part.bytes for part in parts),
            refused=refusal(service, manifest, observed, project),
        )

    return Preview(
        manifest=manifest,
        changes=tuple(change(i) for i in to_restore(request.words, manifest, project.catalogue)),
        replaces_secrets=request.secrets and bool(secrets),
        other_secrets=not request.secrets and manifest.secrets_id != secrets_id(secrets, manifest.secrets),
    )


def refusal(service: str, manifest: Manifest, observed: Observed, project: Project) -> str:
    """Why the data of a service cannot be restored here; empty where it can."""
    if service not in project.catalogue.services:
        return "this project has no such service"
    if service in observed.unavailable:
        return f"not available here: {observed.unavailable[service].reason}"
    present = server_of(service, observed, project.catalogue)
    reasons = (obstacle(part, manifest, project.engine.name, present) for part in manifest.of(service))
    return next(filter(None, reasons), "")


@dataclass
class _Restoration:
    request: Restore
    project: Project
    tools: BackupTools
    backup: Backup
    chosen: tuple[str, ...]
    _began: float = field(default_factory=time.monotonic)
    _not_restored: dict[str, str] = field(default_factory=dict)
    _replaced: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, str] = field(default_factory=dict)

    async def run(self) -> RestoreReport:
        """Servers first, because they create their volumes and accounts; then one service after the other."""
        observed = self.project.engine.observe()
        refuse_other_project(observed, self.project)
        running = {i for i in self.project.catalogue.services if observed.of(i).running}
        self._refuse(observed)
        is_new = not (self.project.engine.volumes() and self.project.directory.secrets())
        files = self._write_secrets() if is_new else ()
        await self._replace_unreadable(await self._start(self._open()))
        observed = self.project.engine.observe()
        self._refuse(observed)
        files = files or await self._exchange_secrets(observed)
        stopped = self._stop_clients(running)
        try:
            for service in self._open():
                await asyncio.sleep(0)  # Ctrl-C ends it here
                await self._attempt(service)
        finally:
            if stopped:
                self.project.engine.restart(stopped)
        done = self._open()
        self.project.directory.remember_bootstrapped(self.project.directory.bootstrapped() - set(done))
        for service, reason in (await self._start((*done, *sorted(running)))).items():
            if service in done:
                self._replaced[service] = f"does not run: {reason}"
        return RestoreReport(
            restored=self._open(),
            not_restored=dict(self._not_restored),
            replaced=dict(self._replaced),
            kept=dict(self._kept),
            files=files,
            seconds=time.monotonic() - self._began,
        )

    async def _start(self, services: tuple[str, ...]) -> dict[str, str]:
        """Those that did not come up, with the reason."""
        if not services:
            return {}
        outcome = (await up.launch(up.Request(words=services, timeout=servers.PATIENCE), self.project)).outcome
        self.project = self.project.reloaded()  # a first start generates secrets
        return {**outcome.failed, **outcome.waiting} if outcome else {}

    async def _replace_unreadable(self, down: Collection[str]) -> None:
        """Give a server of databases that cannot read its data a new volume; what was in the old one is kept."""
        databases = [i for i in self._open() if i in down and isinstance(self._method(i), Dump)]
        found = damages(databases, self.project, no_backup)
        for service, damage in found.items():
            try:
                kept = self._set_aside(service)
            except ArcError as error:
                self._leave(service, f"{damage.message}; that data could not be set aside: {error.message}")
            else:
                self.project.note(f"{service} {damage.message}; that data is kept in {', '.join(kept)}")
        await self._start(tuple(i for i in found if i in self._open()))

    def _set_aside(self, service: str) -> list[str]:
        """Copy its volumes to files, then remove them."""
        engine, keep = self.project.engine, self.tools.repository.keep_damaged
        mounts = self.project.catalogue.services[service].storage.mounts(self.project.settings.envs[service])
        first, *others = (mount.name for mount in mounts if isinstance(mount, Volume))
        copier = self.tools.copiers(service, Folder(first, tuple(others)))
        engine.stop([service])
        kept = [keep(f"{service}-{name}", partial(copier.save, kind, name)) for kind, name in copier.contents()]
        engine.remove([service], [engine.volume_name(service, name) for name in (first, *others)])
        return kept

    def _open(self) -> tuple[str, ...]:
        return tuple(i for i in self.chosen if i not in {*self._not_restored, *self._replaced})

    def _refuse(self, observed: Observed) -> None:
        """Leave out what cannot be restored here. Raises BackupError where nothing is left to do."""
        for service in self._open():
            if reason := refusal(service, self.backup.manifest, observed, self.project):
                self._leave(service, reason)
        if not self._open() and not self.request.secrets:
            why = "; ".join(f"{service}: {reason}" for service, reason in self._not_restored.items())
            raise BackupError(f"nothing of this backup can be restored here: {why}", hint=ANOTHER)

    def _leave(self, service: str, reason: str) -> None:
        self._not_restored[service] = reason
        self._emit(EventKind.FAILED, service, f"not restored: {reason}")

    def _method(self, service: str) -> Method | None:
        return self.project.catalogue.services[service].backup(self.project.settings.envs[service])

    def _write_secrets(self) -> tuple[str, ...]:
        if not self.request.secrets:
            return ()
        stay = machine_settings(self.project.catalogue)
        files = self.backup.restore_secrets(self.project.directory, stay)
        self.project = self.project.reloaded()
        self._emit(EventKind.READY, "", f"restored {', '.join(files)}")
        self._say_what_stays(stay)
        return files

    def _say_what_stays(self, names: Collection[str]) -> None:
        """The settings that have another value in the backup."""
        theirs, project = settings_in(self.backup.project_files()), self.project
        here = {name: lookup(project.catalogue, name, project.sources).text for name in names}
        if other := [name for name in sorted(names) if theirs.get(name, here[name]) != here[name]]:
            project.note(f"settings that stay as they are here, because they belong to the machine: {', '.join(other)}")

    async def _exchange_secrets(self, observed: Observed) -> tuple[str, ...]:
        """The servers get the passwords of the backup, with the passwords that the project still has."""
        before = {i: self._method(i) for i in self.project.catalogue.services if observed.of(i).running}
        files = self._write_secrets()
        for service, method in before.items():
            now = self._method(service)
            if isinstance(method, Dump) and isinstance(now, Dump) and method != now:
                self.tools.copiers(service, method).set_password(now.password)
        if files:
            await self._start(self._open())  # with the passwords of the backup
        return files

    def _stop_clients(self, running: set[str]) -> tuple[str, ...]:
        """Services that use databases that are replaced stop, and start again with the new ones."""
        databases = {i for i in self._open() if isinstance(self._method(i), Dump)}
        clients = tuple(i for i in sorted(running) if databases & (set(closure((i,), self.project.catalogue)) - {i}))
        if clients:
            self.project.note(f"stopped until their databases are restored: {', '.join(clients)}")
            self.project.engine.stop(clients)
        return clients

    async def _attempt(self, service: str) -> None:
        """One service, whole or not at all; a failure is reported and remembered, with which of both it is."""
        method = self._method(service)
        assert method is not None, f"{service} was in a backup"
        try:
            await self._replace(service, method)
        except _NotUndone as error:
            self._replaced[service] = error.message
            self._emit(EventKind.FAILED, service, f"has the data of the backup: {error.message}")
        except ArcError as error:
            await asyncio.sleep(0)  # what failed because of Ctrl-C is no failure
            self._leave(service, error.message)

    async def _replace(self, service: str, method: Method) -> None:
        self._emit(EventKind.WORKING, service, "unpacking next to the current data")
        copier, engine, stopped = self.tools.copiers(service, method), self.project.engine, False
        try:
            for part in self.backup.manifest.of(service):
                self.backup.read(part, partial(copier.load, part.kind, part.name))
            if isinstance(method, Folder):
                stopped = True
                engine.stop([service])
            copier.swap()
            if stopped:
                engine.restart([service])
            reason = (await not_answering((service,), self.project)).get(service)
            if reason:
                raise BackupError(f"does not answer with the restored data: {reason}", hint=f"arcctl logs {service}")
        except BaseException as error:
            self._undo(service, copier, error, stopped=stopped)
            raise
        self._commit(service, copier)

    def _undo(self, service: str, copier: DataCopier, cause: BaseException, *, stopped: bool) -> None:
        """Raises _NotUndone where that fails."""
        if stopped:
            self.project.engine.stop([service])
        try:
            copier.undo()
        except ArcError as error:
            why = cause.message if isinstance(cause, ArcError) else "interrupted"
            raise _NotUndone(f"{why}; the data from before could not be put back: {error.message}") from None
        finally:
            if stopped:
                self.project.engine.restart([service])

    def _commit(self, service: str, copier: DataCopier) -> None:
        """Nothing is undone any more: what cannot be deleted of the data from before stays, and is said."""
        try:
            copier.commit()
        except ArcError as error:
            self._kept[service] = f"{error.message} ({error.hint})" if error.hint else error.message
        for remark in copier.remarks():
            self.project.note(f"{service}: {remark}")
        self._emit(EventKind.READY, service, "restored")

    def _emit(self, kind: EventKind, subject: str, text: str) -> None:
        self.project.sink(Event(kind, subject, text, time.monotonic() - self._began))
