"""`backup restore`: a service's data is replaced whole, or goes on as it was."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from arcctl.app import up
from arcctl.app.world import World, settings, targets, turn
from arcctl.core import events
from arcctl.core.backup import Dump, Folder, Kind, Manifest, Method, obstacle, server
from arcctl.core.backup_ports import Stored
from arcctl.core.backup_results import Change, Preview, Restored
from arcctl.core.env import symbolic
from arcctl.core.graph import closure, resolve, start_order
from arcctl.core.local import volume_name
from arcctl.core.model import Service, Volume
from arcctl.core.observed import Observed
from arcctl.errors import ArcError, BackupError, UsageError

ATTEMPT = 2.0
"""Seconds that one probe may take."""
PAUSE = 0.2
PATIENCE = 180.0
"""Seconds in which a service has to answer again; the slowest takes one on a busy machine."""
ANOTHER = "take another one: arcctl backup list"


@dataclass(frozen=True, kw_only=True)
class Restore:
    name: str
    words: tuple[str, ...] = ()
    key_file: str = ""
    """A file with the passphrase or the age identity; empty for the home's own passphrase."""
    secrets: bool = False
    """The secrets and settings of the home too."""


async def restore(request: Restore, world: World) -> Restored:
    """Without asking: `preview` says what it replaces. Raises before anything is touched where a file is damaged."""
    stored = world.shelf.find(request.name)
    chosen = _held(request, stored.manifest, world)
    damages = stored.damages(stored.manifest.parts)
    if damages:
        raise BackupError(f"{request.name} is damaged: {'; '.join(damages)}", hint=ANOTHER)
    stored.unlock(request.key_file)
    with await turn(world):
        return await _Restoring(request, world, stored, chosen).run()


def preview(request: Restore, world: World) -> Preview:
    """What a restore would do."""
    manifest, observed = world.shelf.find(request.name).manifest, world.engine.observe()
    return Preview(
        manifest=manifest,
        changes=tuple(_change(i, manifest, observed, world) for i in _held(request, manifest, world)),
        replaces_secrets=request.secrets and bool(world.home.secrets()),
        strange_secrets=not request.secrets and manifest.secrets_id != secrets_id(world, manifest.secrets),
    )


def secrets_id(world: World, names: tuple[str, ...]) -> str:
    """Of all these secrets together, so that none can be guessed from it."""
    secrets = world.home.secrets()
    text = "".join(f"{name}={secrets.get(name, '')}\n" for name in names)
    return hashlib.sha256(f"arcctl backup\n{text}".encode()).hexdigest()


def server_of(service: str, observed: Observed) -> str:
    now = observed.of(service)
    return server(now.image, now.version, double=now.double)


def has_data(service: str, world: World) -> bool:
    """Whether a volume of it exists, on whatever engine."""
    declared: Service[Any] = world.catalogue.services[service]
    names = {volume_name(service, m.name) for m in declared.mounts(symbolic(declared.env)) if isinstance(m, Volume)}
    return any(volume == name or volume.endswith(f"_{name}") for name in names for volume in world.engine.volumes())


def _change(service: str, manifest: Manifest, observed: Observed, world: World) -> Change:
    names = [part.name for part in manifest.of(service) if part.kind in (Kind.DATABASE, Kind.FOLDER)]
    return Change(
        service=service,
        there=_there(service, world),
        comes=", ".join(names),
        bytes=sum(part.bytes for part in manifest.of(service)),
        refused=_refused(service, manifest, observed, world),
    )


def _there(service: str, world: World) -> str:
    """What is there; where no server tells, or the secrets are lost, at least that something is."""
    if service not in world.catalogue.services or not has_data(service, world):
        return ""
    declared: Service[Any] = world.catalogue.services[service]
    method = declared.backup(settings(world).envs[service]) if world.home.secrets() else None
    return (world.copier.present(service, method) if method else "") or "data that cannot be looked at now"


def _refused(service: str, manifest: Manifest, observed: Observed, world: World) -> str:
    if service not in world.catalogue.services:
        return "is no service of this home"
    if service in observed.unavailable:
        return f"is not available here: {observed.unavailable[service].reason}"
    present = server_of(service, observed)
    reasons = (obstacle(part, manifest, world.engine.name, present) for part in manifest.of(service))
    return next(filter(None, reasons), "")


def _held(request: Restore, manifest: Manifest, world: World) -> tuple[str, ...]:
    """The services to restore, in the order in which they start.

    Raises UsageError for one that is not in the backup.
    """
    known = [i for i in start_order(world.catalogue) if i in manifest.services]
    there = [*known, *(i for i in manifest.services if i not in known)]
    strange = tuple(i for i in request.words if i in there and i not in known)
    words = [word for word in request.words if word not in strange]
    named = (*resolve(words, world.catalogue), *strange) if request.words else tuple(there)
    missing = [i for i in named if i not in there and i in request.words]
    if missing:
        raise UsageError(f"not in this backup: {', '.join(missing)}", hint=f"it has {', '.join(there)}")
    return tuple(i for i in there if i in named)


async def not_answering(services: tuple[str, ...], world: World) -> dict[str, str]:
    """Those that do not answer their probe in time, with the last reason."""
    end, loaded = time.monotonic() + PATIENCE, settings(world)
    while True:
        observed = await asyncio.to_thread(world.engine.observe)
        answers = await world.prober.ask(targets(world, observed, loaded, services), ATTEMPT)
        bad = {}
        for service in services:
            answer, now = answers.get(service), observed.of(service)
            if not (answer.ok if answer else now.health == "healthy"):
                bad[service] = answer.reason if answer and now.running else f"is {now.state}"
        crashed = any(observed.of(i).state == "dead" for i in bad)
        if not bad or crashed or time.monotonic() > end:
            return bad
        await asyncio.sleep(PAUSE)


@dataclass
class _Restoring:
    request: Restore
    world: World
    stored: Stored
    chosen: tuple[str, ...]
    _began: float = field(default_factory=time.monotonic)
    _kept: dict[str, str] = field(default_factory=dict)

    async def run(self) -> Restored:
        """Servers first, because they make their volumes and accounts; then one service after the other."""
        running = {i for i in self.world.catalogue.services if self.world.engine.observe().of(i).running}
        self._refuse(self.world.engine.observe())
        fits = not (self.world.engine.volumes() and self.world.home.secrets())
        files = self._write_secrets() if fits else ()
        await self._start(self._open())
        self._refuse(self.world.engine.observe())
        files = files or await self._exchange_secrets()
        aside = self._step_aside(running)
        try:
            for service in self._open():
                await asyncio.sleep(0)  # Ctrl-C ends it here
                await self._attempt(service)
        finally:
            if aside:
                self.world.engine.restart(aside)
        done = self._open()
        self.world.home.remember_set_up(self.world.home.set_up() - set(done))
        for service, reason in (await self._start((*done, *sorted(running)))).items():
            self._kept |= {service: f"is restored, and does not run: {reason}"} if service in done else {}
        return Restored(
            services=self._open(), kept=dict(self._kept), files=files, seconds=time.monotonic() - self._began
        )

    async def _start(self, services: tuple[str, ...]) -> dict[str, str]:
        """Those that did not come up, with the reason."""
        if not services:
            return {}
        outcome = (await up.launch(up.Request(words=services, timeout=PATIENCE), self.world)).outcome
        return {**outcome.failed, **outcome.waiting} if outcome else {}

    def _open(self) -> tuple[str, ...]:
        return tuple(i for i in self.chosen if i not in self._kept)

    def _refuse(self, observed: Observed) -> None:
        """What cannot be restored here stays as it is. Raises BackupError where nothing is left to do."""
        reasons = {i: _refused(i, self.stored.manifest, observed, self.world) for i in self._open()}
        for service, reason in reasons.items():
            if reason:
                self._keep(service, reason)
        if not self._open() and not self.request.secrets:
            why = "; ".join(f"{service}: {reason}" for service, reason in self._kept.items())
            raise BackupError(f"nothing of this backup can be restored here: {why}", hint="arcctl backup list")

    def _keep(self, service: str, reason: str) -> None:
        self._kept[service] = reason
        self._tell(events.Kind.FAILED, service, f"not restored: {reason}")

    def _method(self, service: str) -> Method | None:
        declared: Service[Any] = self.world.catalogue.services[service]
        return declared.backup(settings(self.world).envs[service])

    def _write_secrets(self) -> tuple[str, ...]:
        if not self.request.secrets:
            return ()
        (part,) = (p for p in self.stored.manifest.parts if p.kind is Kind.SECRETS)
        files = self.stored.restore_secrets(part)
        self._tell(events.Kind.READY, "", f"restored {', '.join(files)}")
        return files

    async def _exchange_secrets(self) -> tuple[str, ...]:
        """The servers learn the passwords that come before the home forgets the ones that they have."""
        observed = self.world.engine.observe()
        before = {i: self._method(i) for i in self.world.catalogue.services if observed.of(i).running}
        files = self._write_secrets()
        for service, method in before.items():
            now = self._method(service)
            if isinstance(method, Dump) and isinstance(now, Dump) and method != now:
                self.world.copier.hand_over(service, method, now.password)
        if files:
            await self._start(self._open())  # with the passwords that came
        return files

    def _step_aside(self, running: set[str]) -> tuple[str, ...]:
        """Who uses databases that are replaced stops, and comes back with the new ones."""
        needed = {i for i in self._open() if isinstance(self._method(i), Dump)}
        users = tuple(i for i in sorted(running) if needed & (set(closure((i,), self.world.catalogue)) - {i}))
        if users:
            self.world.note(f"stopped until their databases are restored: {', '.join(users)}")
            self.world.engine.stop(users)
        return users

    async def _attempt(self, service: str) -> None:
        """One service, whole or not at all; a failure is told and remembered."""
        method = self._method(service)
        assert method is not None, f"{service} was in a backup"
        try:
            await self._replace(service, method)
        except ArcError as error:
            await asyncio.sleep(0)  # what failed because of Ctrl-C is no failure
            self._keep(service, error.message)

    async def _replace(self, service: str, method: Method) -> None:
        self._tell(events.Kind.WORKING, service, "unpacking beside what is there")
        copier, engine, still = self.world.copier, self.world.engine, False
        try:
            for part in self.stored.manifest.of(service):
                self.stored.read(part, partial(copier.load, service, method, part.kind, part.name))
            if isinstance(method, Folder):
                still = True
                engine.stop([service])
            copier.swap(service, method)
            if still:
                engine.restart([service])
            reason = (await not_answering((service,), self.world)).get(service)
            if reason:
                raise BackupError(f"does not answer with the restored data: {reason}", hint=f"arcctl logs {service}")
        except BaseException:
            self._put_back(service, method, still=still)
            raise
        copier.settle(service, method)
        self._tell(events.Kind.READY, service, "restored")

    def _put_back(self, service: str, method: Method, *, still: bool) -> None:
        if still:
            self.world.engine.stop([service])
        self.world.copier.undo(service, method)
        if still:
            self.world.engine.restart([service])

    def _tell(self, kind: events.Kind, subject: str, text: str) -> None:
        self.world.sink(events.Event(kind, subject, text, time.monotonic() - self._began))
