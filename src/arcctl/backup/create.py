"""`backup create`: all data of the project into one folder, which lists what it holds and what it could not take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from arcctl.backup.base import BackupTools, NotTaken
from arcctl.backup.clients.repository import RECIPIENT, Draft
from arcctl.backup.manifest import Kind, Manifest, Missing, Part
from arcctl.backup.plan import secrets_id, with_data
from arcctl.backup.report import CreateReport
from arcctl.backup.servers import has_data, not_answering, server_of
from arcctl.engines.base import Observed
from arcctl.errors import UnhealthyError, UsageError
from arcctl.events import Event
from arcctl.events import Kind as EventKind
from arcctl.model.backup_method import Dump, Folder, Method
from arcctl.model.disk import Space
from arcctl.project import Project, project_lock, refuse_other_project

NAME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True)
class Create:
    words: tuple[str, ...] = ()
    to: str = ""
    """The folder for the backup; empty for the project's own."""
    encrypt_for: str = ""
    """An age recipient, the path of a file with a passphrase, or empty for the project's passphrase."""


async def create(request: Create, project: Project, tools: BackupTools) -> CreateReport:
    """Raises UsageError where there is no data, and ArcError with nothing left behind."""
    with await project_lock(project):
        return await _Creation(request, project, tools).run()


@dataclass
class _Creation:
    request: Create
    project: Project
    tools: BackupTools
    _began: float = field(default_factory=time.monotonic)
    _parts: list[Part] = field(default_factory=list)
    _missing: list[Missing] = field(default_factory=list)

    async def run(self) -> CreateReport:
        observed, now = self.project.engine.observe(), datetime.now(UTC)
        refuse_other_project(observed, self.project)
        # What cannot be stopped ends the backup before databases are dumped, which takes long.
        wanted = dict(sorted(self._wanted(observed), key=lambda found: isinstance(found[1], Dump)))
        paused = tuple(i for i, method in wanted.items() if isinstance(method, Folder) and observed.of(i).running)
        if paused:
            text = f"stopped for seconds, one after the other, while their files are copied: {', '.join(paused)}"
            self.project.note(text)
        with self.tools.repository.begin(now.strftime(NAME), self.request.to, self.request.encrypt_for) as draft:
            for service, method in wanted.items():
                await asyncio.sleep(0)  # Ctrl-C ends it here
                await self._copy(service, method, draft, observed)
            self._add(draft.write_secrets("secrets.age"), "secrets.age", "", Kind.SECRETS, "", "")
            manifest = self._manifest(now)
            await asyncio.sleep(0)
            name = draft.finish(manifest)
        down = await not_answering(paused, self.project)
        for service, reason in down.items():
            self._emit(EventKind.FAILED, service, reason)
        return CreateReport(name=name, manifest=manifest, seconds=time.monotonic() - self._began, down=tuple(down))

    def _wanted(self, observed: Observed) -> Iterator[tuple[str, Method]]:
        """The services with data. Raises UsageError where there is none."""
        services, volumes = self.project.catalogue.services, self.project.engine.volumes()
        found = [
            i
            for i in with_data(self.request.words, self.project.catalogue)
            if has_data(services[i], volumes, self.project.engine)
        ]
        if not found:
            raise UsageError("there is no data to back up", hint="arcctl up")
        for service in found:
            method = services[service].backup(self.project.settings.envs[service])
            if isinstance(method, Dump) and not observed.of(service).running:
                why = f"{service} does not run ({observed.of(service)}); its databases can be dumped only while it does"
                disk = self.project.engine.disks(observed).get(service)
                if disk and disk.space is Space.NONE:
                    raise UnhealthyError(f"{why}; writes fail: {disk}", hint="arcctl doctor")
                raise UnhealthyError(why, hint=f"arcctl up {service}")
            if method:
                yield service, method

    async def _copy(self, service: str, method: Method, draft: Draft, observed: Observed) -> None:
        """One service; it runs again afterwards if it ran, also after a failure."""
        stop = isinstance(method, Folder) and observed.of(service).running
        self._emit(EventKind.WORKING, service, "stopped while its files are copied" if stop else "being copied")
        began = time.monotonic()
        if stop:
            self.project.engine.stop([service])
        try:
            copier = self.tools.copiers(service, method)
            server = server_of(service, observed, self.project.catalogue)
            for number, (kind, name) in enumerate(copier.contents()):
                file = f"{service}-{number}.age"
                try:
                    written = draft.write(file, partial(copier.save, kind, name))
                except NotTaken as error:
                    await asyncio.sleep(0)  # what failed because of Ctrl-C is not left out
                    self._leave_out(Missing(service=service, name=name, reason=error.message, hint=error.hint))
                else:
                    self._add(written, file, service, kind, name, server)
            for remark in copier.remarks():
                self.project.note(f"{service}: {remark}")
        finally:
            if stop:
                self.project.engine.restart([service])
        self._emit(EventKind.READY, service, f"copied in {time.monotonic() - began:.1f} s")

    def _leave_out(self, missing: Missing) -> None:
        self._missing.append(missing)
        self._emit(EventKind.FAILED, missing.service, f"{missing.name} is not in the backup: {missing.reason}")

    def _add(self, written: tuple[int, str], file: str, service: str, kind: Kind, name: str, server: str) -> None:
        size, digest = written
        part = Part(service=service, kind=kind, name=name, file=file, bytes=size, sha256=digest, server=server)
        self._parts.append(part)

    def _manifest(self, now: datetime) -> Manifest:
        secrets, recipient = self.project.directory.secrets(), self.request.encrypt_for
        names = tuple(sorted(secrets))
        return Manifest(
            created_at=now.isoformat(timespec="seconds"),
            arcctl=version("arcctl"),
            project=self.project.name,
            engine=self.project.engine.name,
            lock=recipient if recipient.startswith(RECIPIENT) else "passphrase",
            secrets_id=secrets_id(secrets, names),
            secrets=names,
            parts=tuple(self._parts),
            missing=tuple(self._missing),
        )

    def _emit(self, kind: EventKind, subject: str, text: str) -> None:
        self.project.sink(Event(kind, subject, text, time.monotonic() - self._began))
