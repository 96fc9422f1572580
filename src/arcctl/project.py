"""What a use-case is handed: a project, and the means to work on it."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, TextIO

from arcctl.engines.base import Engine, Observed
from arcctl.errors import EngineError, FileDamaged, PreflightError, SecretsLost, SettingsError, UnhealthyError
from arcctl.events import Event, Kind, Sink
from arcctl.model.env import Variable
from arcctl.model.host_ports import Collision, HostPort, PortOwner, collisions, free_port, host_ports
from arcctl.model.names import LOOPBACK, PROJECT, PROJECT_NAME
from arcctl.model.probe import Answer, Probe, Runs
from arcctl.model.service import Catalogue
from arcctl.model.smoke_test import Call, SmokeTest, Step
from arcctl.settings import known_projects
from arcctl.settings.directory import KEPT_PORTS, ProjectDirectory
from arcctl.settings.identity import Identity
from arcctl.settings.known_projects import KnownProject
from arcctl.settings.resolve import DEFAULT, ENVIRONMENT, Settings, Source, missing_secrets, owners, resolve

NO_OTHER_NAME = Identity(PROJECT)
PAUSE = 0.2
"""Seconds between two attempts to get the lock."""
_LINES = "_(PASSWORD|KEY|SECRET|TOKEN)="
"""The lines of secrets in the file for Compose."""


@dataclass(frozen=True)
class Target:
    """A probe, and where it is asked."""

    probe: Probe
    port: int
    host: str = LOOPBACK
    ports: Mapping[int, int] = field(default_factory=dict)
    """The published ports of the container, by the container's."""


class Prober(Protocol):
    def get_ready(self, asked: Iterable[Probe | SmokeTest | None]) -> None:
        """Import what these need, while the engine is being asked."""

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]: ...


class SmokeTestRunner(Protocol):
    async def run(
        self, owner: str, smoke_test: SmokeTest, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        """One smoke test; `ports` has the published port of each container port, by container key."""

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        """One call: its result, the body of the answer, and the values with those that it took from the answer."""

    async def attempt(
        self,
        owner: str,
        smoke_tests: tuple[SmokeTest, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        """Smoke tests in order: the first problem (empty where all pass), and the values with those that they took."""


class Ports(Protocol):
    """Ports of the machine on which they are published."""

    def taken(self, port: int) -> bool: ...
    def owner(self, port: int) -> PortOwner | None: ...


@dataclass(frozen=True, kw_only=True)
class Project:
    """A value: what changes the settings makes a new one, so a reader sees either all old or all new values."""

    identity: Identity = NO_OTHER_NAME
    directory: ProjectDirectory
    catalogue: Catalogue
    environment: Mapping[str, str]
    engine: Engine
    prober: Prober
    smoke_test_runner: SmokeTestRunner
    ports: Ports
    sink: Sink
    insecure_demo: bool = False
    engine_named: bool = False
    """Whether the command line names the engine; a variable of the shell is not said of this project."""

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where values come from, the strongest first: process environment, files of the project, the engine."""
        files = self.directory.sources(owners(self.catalogue))
        engine = Source(self._engine_default, self.engine.defaults)
        return (Source(ENVIRONMENT, {**self.environment, PROJECT_NAME: self.name}), *files, engine)

    @property
    def _engine_default(self) -> str:
        return f"default of the {self.engine.name} engine"

    def is_unset(self, variable: str) -> bool:
        """Whether no user has set it."""
        return self.settings.values[variable].origin in (DEFAULT, self._engine_default, KEPT_PORTS)

    @cached_property
    def settings(self) -> Settings:
        """Every setting, read from its sources once. Raises SettingsError, and SecretsLost where that is why."""
        try:
            return resolve(self.catalogue, self.sources, insecure_demo=self.insecure_demo)
        except SettingsError:
            refuse_lost_secrets(self)
            raise

    def host_ports(self, settings: Settings | None = None) -> tuple[HostPort, ...]:
        """The ports of this machine that the components use on this engine, by the project's settings or others."""
        local = self.engine.image_store is None
        return host_ports(self.catalogue, (settings or self.settings).envs, local=local, exported=self.environment)

    def port_collisions(
        self, settings: Settings | None = None, services: Container[str] | None = None
    ) -> tuple[Collision, ...]:
        """Where two components of these services, or of all, use the same port."""
        ports = self.host_ports(settings)
        return collisions(port for port in ports if services is None or port.service in services)

    def free_port(self, near: int, settings: Settings | None = None) -> int:
        """The next port that no component uses, running or not, no other project has, and nobody listens on."""
        return free_port(near, {port.number for port in self.host_ports(settings)}, self.is_taken)

    def is_taken(self, port: int) -> bool:
        """Whether another project has it, or somebody listens on it."""
        return bool(self.reserved_by(port)) or self.ports.taken(port)

    @cached_property
    def _reserved(self) -> Mapping[int, KnownProject]:
        """The ports of the other projects, also of those that are down, when this project first asks."""
        own, known = self.identity.id, known_projects.known()
        others = (entry for entry in known if entry.id != own and entry.reserves)
        return {port: entry for entry in others for port in entry.ports.values()}

    def reserved_by(self, port: int) -> KnownProject | None:
        """The other project that has this port."""
        return self._reserved.get(port)

    def port_owner(self, port: int) -> PortOwner:
        """Who uses a port of the machine, as precisely as the system tells."""
        container = self.engine.port_owner(port)
        found = PortOwner(container) if container else self.ports.owner(port) or PortOwner("another program")
        other = self.reserved_by(port)
        if other and (container.startswith(f"container {other.name}_") or found.project == other.directory):
            return replace(found, project=other.directory, project_name=other.name)
        return found

    def reloaded(self) -> Project:
        """The project after its files changed: its settings are read again."""
        return replace(self)

    def with_values(self, values: Mapping[str, str]) -> Project:
        """The project as it would be with these settings, which come before all others."""
        return replace(self, environment={**self.environment, **values})

    def note(self, message: str) -> None:
        self.sink(Event(Kind.NOTE, "", message))


async def project_lock(project: Project) -> TextIO:
    """Waits until no other command changes the project; closing what it returns gives the lock back."""
    lock = _acquire(project)
    while lock is None:
        await asyncio.sleep(PAUSE)
        lock = project.directory.acquire()
    set_damaged_aside(project)
    return lock


def project_lock_now(project: Project) -> TextIO:
    """The same for a command that Ctrl-C ends at once, in the middle of what the engine does."""
    lock = _acquire(project)
    while lock is None:
        time.sleep(PAUSE)
        lock = project.directory.acquire()
    set_damaged_aside(project)
    return lock


def _acquire(project: Project) -> TextIO | None:
    lock = project.directory.acquire()
    if lock is None:
        project.note("another arcctl command is changing this project: waiting for it to end")
    return lock


def set_damaged_aside(project: Project) -> None:
    """What changes a project goes on without the damaged files that arcctl can do without."""
    for path in project.directory.damaged():
        project.sink(Event(Kind.WARNING, "", project.directory.set_aside(path)))


def _missing_secrets(project: Project) -> dict[str, Variable]:
    return missing_secrets(project.catalogue, {name: None for source in project.sources for name in source.values})


def refuse_lost_secrets(project: Project, volumes: tuple[str, ...] | None = None) -> None:
    """Raises SecretsLost where none is stored, although the engine has data; it is asked unless `volumes` are given."""
    missing = {} if project.directory.secrets() else _missing_secrets(project)
    if not missing:
        return
    if volumes is None:
        volumes = _volumes(project.engine)
    if volumes:
        back = "use the directory that has them, or put a copy of .arcctl/secrets.env back"
        raise SecretsLost(
            f"this project has no secrets, but the engine has data that was written with them: {', '.join(volumes)}",
            hint=f"{back}{_copied(missing, project)}",
        )


def _volumes(engine: Engine) -> tuple[str, ...]:
    try:
        return engine.volumes()
    except EngineError:
        return ()


def _copied(missing: Container[str], project: Project) -> str:
    """How to take secrets from the file for Compose, where it still has them."""
    try:
        copied = project.directory.compose_values()
    except FileDamaged:
        return ""
    if not any(name in missing for name in copied):
        return ""
    old, new = (shlex.quote(str(path)) for path in (project.directory.compose_env, project.directory.secrets_file))
    return f"; compose.env still has them, to take them from there: (umask 077; grep -E '{_LINES}' {old} >{new})"


def ensure_secrets(project: Project, volumes: tuple[str, ...]) -> Project:
    """Generate the secrets that are missing and write the file for Compose; returns the project that has them.

    Raises SecretsLost rather than locking anybody out of data that exists.
    """
    refuse_lost_secrets(project, volumes)
    missing = _missing_secrets(project)
    project.directory.add_secrets(missing)
    project = project.reloaded() if missing else project
    project.directory.write_compose_env(project.settings.mapping())
    return project


def targets(project: Project, observed: Observed, services: tuple[str, ...]) -> dict[str, Target]:
    """Where to probe each running service; one without a published port is left to its in-container check."""
    found: dict[str, Target] = {}
    for service_id in services:
        probe = project.catalogue.services[service_id].checks.probe(project.settings.envs[service_id])
        now = observed.of(service_id)
        port = now.ports.get(probe.port, 0 if isinstance(probe, Runs) else None)
        if now.running and port is not None:
            found[service_id] = Target(probe, port, project.engine.host, now.ports)
    return found


def refuse_other_project(observed: Observed, project: Project) -> None:
    """Raises PreflightError where what the engine has of this name was created by another project."""
    directories = {now.directory for now in observed.containers.values() if now.directory} - {
        str(project.directory.root)
    }
    if directories:
        other = min(directories)
        raise PreflightError(
            f"another project ({other}) already uses these container names",
            hint="to see which projects there are: arcctl projects",
        )
    if others := project.engine.others():
        what = ", ".join(f"{name} ({file or 'no Compose file'})" for name, file in others.items())
        raise PreflightError(
            f"the Compose project {project.name} has containers of somebody else: {what}",
            hint=f"give them another name where they belong, such as: docker compose -p {project.name}-app up",
        )
    if not _may_own(observed, project) and (found := (*sorted(observed.containers), *project.engine.volumes())):
        raise PreflightError(
            f"the {project.engine.name} engine has {', '.join(found)} of another project with the name {project.name}",
            hint=f"give this one another name: arcctl -p {project.name}-2 init --new-identity",
        )


def _may_own(observed: Observed, project: Project) -> bool:
    """Whether this project ran on the engine, as far as is known: an earlier arcctl did not note that.

    Nobody notes it where plain `docker compose` started it, but then its containers say from where.
    """
    noted = project.engine.name in project.directory.used_engines() or not project.directory.notes_engines()
    return noted or str(project.directory.root) in {now.directory for now in observed.containers.values()}


def must_run(service: str, observed: Observed) -> None:
    """Raises UnhealthyError with the command that starts it."""
    if service in observed.unavailable:
        why = observed.unavailable[service]
        raise UnhealthyError(f"{service} is not available here: {why.reason}", hint=why.command)
    if not observed.of(service).running:
        raise UnhealthyError(f"{service} is not running", hint=f"arcctl up {service}")
