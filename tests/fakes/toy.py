"""Fakes of the parts of a project: engine, prober, ports, and a project directory in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import BinaryIO, TextIO

from arcctl.engines.base import (
    NOTHING,
    ContainerState,
    EngineFacts,
    Executed,
    Images,
    Observed,
    RunsAs,
    Tell,
    Unavailable,
    Usage,
    silent,
)
from arcctl.engines.changes import every
from arcctl.errors import ArcError, EngineError, FileDamaged
from arcctl.events import Event
from arcctl.model.disk import Disk
from arcctl.model.env import Variable
from arcctl.model.host_ports import PortOwner
from arcctl.model.names import LOOPBACK
from arcctl.model.probe import Answer, Probe
from arcctl.model.rotation import Change
from arcctl.model.service import Catalogue, Layer, Role, volume_name
from arcctl.model.smoke_test import EphemeralContainer, SmokeTest
from arcctl.project import Project, Target
from arcctl.settings import known_projects
from arcctl.settings.directory import KEPT_PORTS, ProjectDirectory
from arcctl.settings.identity import Identity
from arcctl.settings.known_projects import KnownProject
from arcctl.settings.resolve import Source, any_secrets, resolve
from tests.fakes.catalogue import TOY
from tests.fakes.images import ProjectFiles
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner

ANSWERED = Answer(True, "fine")
TIME = "2026-01-31T10:00:00Z"


@dataclass
class FakeEngine:
    catalogue: Catalogue
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    """Exit codes of init containers; 0 by default."""
    endless: frozenset[str] = frozenset()
    """Init containers that do not end."""
    crashing: frozenset[str] = frozenset()
    compose: str = "2.40.3"
    memory: int = 1 << 34
    space: Disk | None = None
    lowest_port: int = 0
    untested: str = ""
    full: Mapping[str, Disk] = field(default_factory=dict)
    """The file systems with data, by key."""
    lacking: frozenset[str] = frozenset()
    """Images that must be pulled or built first."""
    kept: tuple[str, ...] = ()
    owners: Mapping[int, str] = field(default_factory=dict)
    away: str = ""
    """Why every call fails; empty if the engine answers."""
    name: str = "fake"
    id: str = ""
    way: str = ""
    default_services: tuple[str, ...] = (Layer.OBSERVABILITY,)
    remote: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)
    executed: Executed = field(default_factory=lambda: Executed(0))
    """How every program in a container ends."""
    unavailable: Mapping[str, Unavailable] = field(default_factory=dict)
    image_store: Images | None = None
    host: str = LOOPBACK
    folder: str = ""
    """Where processes keep their files."""
    states: dict[str, ContainerState] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def facts(self) -> EngineFacts:
        self._answer()
        return EngineFacts(
            versions={"Docker": "28.5.2", "Compose": self.compose},
            memory=self.memory,
            cpus=2,
            disk=self.space,
            lowest_port=self.lowest_port,
            untested=self.untested,
            id=self.id,
            way=self.way,
        )

    def _answer(self) -> None:
        if self.away:
            raise EngineError(self.away, hint="start it")

    def observe(self) -> Observed:
        self._answer()
        for key in self.crashing & self.states.keys():
            before = self.states[key]
            self.states[key] = ContainerState(state="restarting", exit_code=7, restarts=before.restarts + 1)
        return Observed(dict(self.states), self.unavailable)

    def disks(self, observed: Observed) -> Mapping[str, Disk]:
        return self.full

    def hashes(self) -> Mapping[str, str]:
        return {}

    def volumes(self) -> tuple[str, ...]:
        self._answer()
        return self.kept

    def volume_name(self, key: str, name: str) -> str:
        return f"arc_{volume_name(key, name)}"

    def create_volume(self, key: str, name: str) -> None:
        self.calls.append(f"create volume {self.volume_name(key, name)}")
        self.kept = (*self.kept, self.volume_name(key, name))

    def images(self, references: Iterable[str]) -> Mapping[str, str]:
        return dict.fromkeys(set(references) - self.lacking, "sha")

    def fetch(self, key: str) -> Iterator[str]:
        self.calls.append(f"fetch {key}")
        yield f"fetch {key}"
        yield f"fetched {key}"

    def recover(self, tell: Tell = silent) -> tuple[str, ...]:
        """No process of this engine ends."""
        return ()

    def changes(self) -> AbstractAsyncContextManager[asyncio.Event]:
        return every(0.001)

    def create(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        self.calls.append(f"{'recreate' if recreate else 'create'} {' '.join(keys)}")
        for key in keys:
            self.states[key] = replace(self._started(key), state="created", ports={})

    def start(self, keys: Iterable[str]) -> None:
        self.calls.append(f"start {' '.join(keys)}")
        for key in keys:
            self.states[key] = self._started(key)

    def _started(self, key: str) -> ContainerState:
        container = self.catalogue.components()[key]
        if key in self.endless:
            return ContainerState(state="running")
        if container.role is Role.INIT:
            return ContainerState(
                state="exited", exit_code=self.exit_codes.get(key, 0), image_id="sha", started_at=TIME
            )
        ports = {80: 80, 7000: 7000, 8080: 8080}
        networks = frozenset(container.network.networks)
        return ContainerState(state="running", ports=ports, image_id="sha", started_at=TIME, networks=networks)

    def unpause(self, keys: Iterable[str]) -> None:
        self.calls.append(f"unpause {' '.join(keys)}")
        self._become(keys, "running")

    def _become(self, keys: Iterable[str], state: str) -> None:
        for key in keys:
            self.states[key] = replace(self.states[key], state=state)

    def start_ephemeral(self, key: str, ephemeral: EphemeralContainer) -> bool:
        self.calls.append(f"start ephemeral {ephemeral.name}")
        return True

    def remove_ephemeral(self) -> None:
        self.calls.append("remove ephemeral")

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
        self.calls.append(f"execute {key}: {' '.join(words)}")
        return self.executed

    def usage(self, keys: tuple[str, ...]) -> Mapping[str, Usage]:
        return {key: Usage(memory=100 * len(key), cpu=1.5) for key in keys}

    def disk(self) -> Mapping[str, int]:
        return {"store": 7}

    def stop(self, keys: Iterable[str]) -> None:
        self.calls.append(f"stop {' '.join(keys)}")
        self._become(keys, "exited")

    def restart(self, keys: Iterable[str]) -> None:
        self.calls.append(f"restart {' '.join(keys)}")
        self._become(keys, "running")

    def remove(self, keys: Iterable[str], volumes: Iterable[str]) -> None:
        self.calls.append(" ".join(("remove", *keys, *volumes)))
        self.states = {key: state for key, state in self.states.items() if key not in set(keys)}
        self.kept = tuple(name for name in self.kept if name not in set(volumes))

    def down(self, tell: Tell = silent, *, volumes: bool = False) -> None:
        self.calls.append("down with volumes" if volumes else "down")
        self.states.clear()
        self.kept = () if volumes else self.kept

    def logs(self, keys: Iterable[str], *, follow: bool, since: str, tail: str) -> Iterator[str]:
        yield from (f"{key}: a line" for key in keys)

    def logs_of_last_run(self, key: str, *, tail: str) -> Iterator[str]:
        return self.logs([key], follow=False, since="", tail=tail)

    def command(self) -> tuple[str, ...]:
        return ("true",)

    def runs_as(self, key: str) -> RunsAs:
        return RunsAs("keeper", self.folder)

    def project_names(self) -> frozenset[str]:
        return frozenset()

    def named(self, name: str) -> FakeEngine:
        return self

    def published_ports(self) -> frozenset[int]:
        return frozenset(self.owners)

    def others(self) -> Mapping[str, str]:
        return {}

    def refuse_address(self, address: str) -> None:
        """Every address will do."""

    def port_owner(self, port: int) -> str:
        return self.owners.get(port, "")


@dataclass
class Failing(FakeEngine):
    """Every component prints the same lines."""

    said: str = ""

    def logs(self, keys: Iterable[str], *, follow: bool, since: str, tail: str) -> Iterator[str]:
        yield from (f"{key}  | {line}" for key in keys for line in self.said.splitlines())


@dataclass
class FakeProber:
    answers: Mapping[int, Answer] = field(default_factory=dict)
    """By host port; all others answer."""

    def get_ready(self, asked: Iterable[Probe | SmokeTest | None]) -> None:
        """Nothing to load."""

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]:
        return {key: self.answers.get(target.port, ANSWERED) for key, target in targets.items()}


@dataclass
class FakePorts:
    busy: Mapping[int, str] = field(default_factory=dict)
    """The owner of each port, with ` of the project DIRECTORY` where it has one."""

    def taken(self, port: int) -> bool:
        return port in self.busy

    def owner(self, port: int) -> PortOwner | None:
        name, _, project = self.busy.get(port, "").partition(" of the project ")
        return PortOwner(name, project) if name else None


@dataclass
class FakeDirectory(ProjectFiles, ProjectDirectory):
    kept: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    """The ports that were chosen for it."""
    runs_on: str = ""
    used: dict[str, str] = field(default_factory=dict)
    """The engines that have data, and which of its kind each is."""
    forgotten: str = ""
    """The engine whose data is gone."""
    up: frozenset[str] = frozenset()
    since: dict[str, str] = field(default_factory=dict)
    """When each container was started."""
    stops: tuple[str, ...] = ()
    """What a command is stopping."""
    complete: frozenset[str] = frozenset()
    taken: int = 0
    """How many attempts to acquire the lock fail."""
    files: str = "as they were"
    root: Path = Path("/srv/toy")
    times: dict[str, str] = field(default_factory=dict)
    """When each secret was last changed."""
    journal: tuple[Change, ...] = ()
    """The rotation that was begun."""

    def draw(self, variable: Variable) -> str:
        return f"rotated-for-{variable.name.lower().replace('_', '-')}"

    def write_private(self, texts: Mapping[Path, str]) -> None:
        assert not texts

    def damaged(self) -> dict[Path, ArcError]:
        return {}

    def secret_changes(self) -> dict[str, str]:
        return dict(self.times)

    def rotation(self) -> tuple[Change, ...]:
        return self.journal

    def remember_rotation(self, changes: Iterable[Change]) -> None:
        self.journal = tuple(changes)

    def sources(self, services: Iterable[str]) -> tuple[Source, ...]:
        files = (Source(f"config/{i}/.env", self.env_files[i], i) for i in services if i in self.env_files)
        return (*files, Source("secrets", self.kept), Source(KEPT_PORTS, self.kept_ports()))

    def notes_engines(self) -> bool:
        return False

    def begin_notes(self) -> None:
        """Nothing is noted here."""

    def name_by_variable(self) -> None:
        """There are no files here."""

    def kept_ports(self) -> dict[str, str]:
        return dict(self.chosen)

    def keep_ports(self, ports: Mapping[str, int]) -> None:
        self.chosen |= {name: str(number) for name, number in ports.items()}

    def secrets(self) -> dict[str, str]:
        return dict(self.kept)

    def add_secrets(self, missing: Mapping[str, Variable]) -> None:
        self.kept |= {
            name: f"generated-for-{name.lower().replace('_', '-')}" for name in missing if name not in self.kept
        }

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        self.kept |= values

    def forget_secrets(self, names: Iterable[str]) -> None:
        for name in names:
            self.kept.pop(name, None)

    def bootstrapped(self) -> frozenset[str]:
        return self.complete

    def remember_bootstrapped(self, services: Iterable[str]) -> None:
        self.complete = frozenset(services)

    def write_compose_env(self, values: Mapping[str, str]) -> None:
        assert set(self.kept) - {"STORE_TICKET"} <= set(values)

    def digest(self, mounted: Iterable[str]) -> str:
        return self.files if list(mounted) else ""

    def compose_values(self) -> dict[str, str]:
        return {}

    def unusable(self, paths: Iterable[str]) -> tuple[FileDamaged, ...]:
        return ()

    def input_hashes(self) -> dict[str, str]:
        return dict(self.made)

    def engine(self) -> str:
        return self.runs_on

    def remember_engine(self, name: str, which: str = "") -> None:
        self.runs_on = name
        self.used |= {name: which or self.used.get(name, "")} if name else {}

    def used_engines(self) -> dict[str, str]:
        return self.used

    def forget_engine(self, name: str) -> None:
        self.forgotten = name

    def remember_input_hashes(self, digests: Mapping[str, str]) -> None:
        self.made |= digests

    def started(self) -> frozenset[str]:
        return self.up

    def remember_started(self, services: Iterable[str]) -> None:
        self.up = frozenset(services)

    def stopping(self) -> tuple[str, ...]:
        return self.stops

    def remember_stopping(self, keys: Iterable[str]) -> None:
        self.stops = tuple(sorted(keys))

    def started_at(self) -> dict[str, str]:
        return dict(self.since)

    def remember_started_at(self, times: Mapping[str, str]) -> None:
        self.since = dict(times)

    def acquire(self) -> TextIO | None:
        self.taken -= 1
        return None if self.taken >= 0 else StringIO()


TOY_PROJECT = Identity("arc", "toy")


@dataclass
class Toy:
    """A fake project and the events of commands on it."""

    engine: FakeEngine = field(default_factory=lambda: FakeEngine(TOY))
    prober: FakeProber = field(default_factory=FakeProber)
    smoke_test_runner: FakeSmokeTestRunner = field(default_factory=FakeSmokeTestRunner)
    ports: FakePorts = field(default_factory=FakePorts)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    events: list[Event] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    identity: Identity = TOY_PROJECT

    def decide_ports(self) -> None:
        """As after a first `up`: its ports stay what they are."""
        project = self.project()
        settings = resolve(TOY, (*project.sources, any_secrets(TOY)))
        ports = {port.variable: port.number for port in project.host_ports(settings)}
        known_projects.remember(KnownProject(id="toy", name="arc", directory=str(self.directory.root), ports=ports))

    @property
    def printed(self) -> list[str]:
        """The events as lines, without their times."""
        return [" ".join(filter(None, (e.kind, e.subject, e.message))) for e in self.events]

    def project(self) -> Project:
        return Project(
            identity=self.identity,
            catalogue=TOY,
            environment=self.environment,
            directory=self.directory,
            engine=self.engine,
            prober=self.prober,
            smoke_test_runner=self.smoke_test_runner,
            ports=self.ports,
            sink=self.events.append,
        )
