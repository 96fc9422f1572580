"""`backup create`: all data of the platform into one folder, whole or not at all. `app.restoring` puts it back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from arcctl.app.restoring import Restore as Restore
from arcctl.app.restoring import has_data, not_answering, secrets_id, server_of
from arcctl.app.restoring import preview as preview
from arcctl.app.restoring import restore as restore
from arcctl.app.world import World, refuse_strangers, settings, turn
from arcctl.core import events
from arcctl.core.backup import Dump, Folder, Kind, Manifest, Method, Part
from arcctl.core.backup_ports import Draft
from arcctl.core.backup_results import Created
from arcctl.core.env import symbolic
from arcctl.core.graph import resolve, start_order
from arcctl.core.observed import Observed
from arcctl.errors import UnhealthyError, UsageError

STAMP = "%Y%m%dT%H%M%SZ"
RECIPIENT = "age1"


@dataclass(frozen=True, kw_only=True)
class Create:
    words: tuple[str, ...] = ()
    to: str = ""
    """The folder that holds the backup; empty for the usual one."""
    lock: str = ""
    """An age recipient, the path of a file with a passphrase, or empty for the home's own passphrase."""


async def create(request: Create, world: World) -> Created:
    """Raises before anything is written where there is nothing to take, and ArcError with nothing left behind."""
    with await turn(world):
        return await _Creating(request, world).run()


@dataclass
class _Creating:
    request: Create
    world: World
    _began: float = field(default_factory=time.monotonic)
    _parts: list[Part] = field(default_factory=list)

    async def run(self) -> Created:
        observed, now = self.world.engine.observe(), datetime.now(UTC)
        refuse_strangers(observed, self.world)
        wanted = dict(self._wanted(observed))
        paused = tuple(i for i, method in wanted.items() if isinstance(method, Folder) and observed.of(i).running)
        if paused:
            self.world.note(f"one after the other stands still while it is copied, for seconds: {', '.join(paused)}")
        with self.world.shelf.begin(now.strftime(STAMP), self.request.to, self.request.lock) as draft:
            for service, method in wanted.items():
                await asyncio.sleep(0)  # Ctrl-C ends it here
                self._take(service, method, draft, observed)
            self._add(draft.write_secrets("home.age"), "home.age", "", Kind.SECRETS, "", "")
            manifest = self._manifest(now)
            await asyncio.sleep(0)
            name = draft.finish(manifest)
        down = await not_answering(paused, self.world)
        for service, reason in down.items():
            self._tell(events.Kind.FAILED, service, reason)
        return Created(name=name, manifest=manifest, seconds=time.monotonic() - self._began, down=tuple(down))

    def _wanted(self, observed: Observed) -> Iterator[tuple[str, Method]]:
        """What has data. Raises UsageError where nothing has, and for a named service that keeps none of its own."""
        catalogue, words = self.world.catalogue, self.request.words
        asked = resolve(words or ("all",), catalogue)
        keepers = [
            i for i in start_order(catalogue) if catalogue.services[i].backup(symbolic(catalogue.services[i].env))
        ]
        idle = [i for i in asked if i in words and i not in keepers]
        if idle:
            raise UsageError(f"{', '.join(idle)} keeps no data of its own", hint="arcctl backup create")
        held = [i for i in keepers if i in asked and has_data(i, self.world)]
        if not held:
            raise UsageError("there is no data to back up", hint="arcctl up")
        loaded = settings(self.world)
        for service in held:
            method = catalogue.services[service].backup(loaded.envs[service])
            if isinstance(method, Dump) and not observed.of(service).running:
                why = f"{service} is {observed.of(service).state}, and only a running one can be dumped"
                raise UnhealthyError(why, hint=f"arcctl up {service}")
            if method:
                yield service, method

    def _take(self, service: str, method: Method, draft: Draft, observed: Observed) -> None:
        """One service; it runs again afterwards if it ran, also after a failure."""
        still = isinstance(method, Folder) and observed.of(service).running
        self._tell(events.Kind.WORKING, service, "stands still and is copied" if still else "is copied")
        began = time.monotonic()
        if still:
            self.world.engine.stop([service])
        try:
            self._save(service, method, draft, server_of(service, observed))
        finally:
            if still:
                self.world.engine.restart([service])
        self._tell(events.Kind.READY, service, f"taken in {time.monotonic() - began:.1f} s")

    def _save(self, service: str, method: Method, draft: Draft, server: str) -> None:
        for kind, name in self.world.copier.contents(service, method):
            file = f"{service}-{sum(p.service == service for p in self._parts)}.age"
            written = draft.write(file, partial(self.world.copier.save, service, method, kind, name))
            self._add(written, file, service, kind, name, server)

    def _add(self, written: tuple[int, str], file: str, service: str, kind: Kind, name: str, server: str) -> None:
        size, digest = written
        part = Part(service=service, kind=kind, name=name, file=file, bytes=size, sha256=digest, server=server)
        self._parts.append(part)

    def _manifest(self, now: datetime) -> Manifest:
        names = tuple(sorted(self.world.home.secrets()))
        return Manifest(
            created_at=now.isoformat(timespec="seconds"),
            arcctl=version("arcctl"),
            engine=self.world.engine.name,
            lock=self.request.lock if self.request.lock.startswith(RECIPIENT) else "passphrase",
            secrets_id=secrets_id(self.world, names),
            secrets=names,
            parts=tuple(self._parts),
        )

    def _tell(self, kind: events.Kind, subject: str, text: str) -> None:
        self.world.sink(events.Event(kind, subject, text, time.monotonic() - self._began))
