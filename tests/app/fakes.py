"""One fake per seam: an engine that remembers, a prober that is told the answers, ports, a home in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import BinaryIO, TextIO

from arcctl.app.world import World
from arcctl.core.env import Variable
from arcctl.core.events import Event
from arcctl.core.model import Catalogue, Helper, Layer
from arcctl.core.observed import ContainerState, Observed, Unavailable
from arcctl.core.ports import NOTHING, EngineFacts, Executed, Target
from arcctl.core.probe import Answer
from arcctl.core.proof import Guest
from arcctl.core.settings import Source
from arcctl.core.usage import Usage
from arcctl.errors import EngineError
from tests.app.fake_backups import FakeCopier, FakeShelf
from tests.app.fake_contents import FakeContents
from tests.app.fake_images import OwnFiles
from tests.app.fake_prover import FakeProver
from tests.app.journal import FakeJournal
from tests.core.toy import TOY

WELL = Answer(True, "fine")


@dataclass
class FakeEngine:
    catalogue: Catalogue
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    """How one-shots end; 0 where nothing is said."""
    crashing: frozenset[str] = frozenset()
    compose: str = "2.40.3"
    memory: int = 1 << 34
    disk_free: int = 0
    lacking: frozenset[str] = frozenset()
    """Images that must be pulled or built first."""
    kept: tuple[str, ...] = ()
    owners: Mapping[int, str] = field(default_factory=dict)
    away: str = ""
    """Why no call gets through; empty where the engine answers."""
    name: str = "fake"
    usual: tuple[str, ...] = (Layer.OBSERVABILITY,)
    defaults: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, Unavailable] = field(default_factory=dict)
    states: dict[str, ContainerState] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def facts(self) -> EngineFacts:
        self._answer()
        return EngineFacts(
            versions={"Docker": "28.5.2", "Compose": self.compose}, memory=self.memory, cpus=2, disk_free=self.disk_free
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

    def hashes(self) -> Mapping[str, str]:
        return {}

    def volumes(self) -> tuple[str, ...]:
        self._answer()
        return self.kept

    def images(self, references: Iterable[str]) -> Mapping[str, str]:
        return dict.fromkeys(set(references) - self.lacking, "sha")

    def fetch(self, key: str) -> Iterator[str]:
        self.calls.append(f"fetch {key}")
        yield f"fetch {key}"
        yield f"fetched {key}"

    def recover(self) -> bool:
        """Nothing dies here."""
        return False

    def start(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        self.calls.append(f"{'recreate' if recreate else 'start'} {' '.join(keys)}")
        for key in keys:
            self.states[key] = self._started(key)

    def _started(self, key: str) -> ContainerState:
        container = self.catalogue.containers()[key]
        if isinstance(container, Helper) and container.one_shot:
            return ContainerState(state="exited", exit_code=self.exit_codes.get(key, 0), image_id="sha")
        return ContainerState(state="running", ports={80: 80, 7000: 7000, 8080: 8080}, image_id="sha")

    def unpause(self, keys: Iterable[str]) -> None:
        self.calls.append(f"unpause {' '.join(keys)}")
        self._become(keys, "running")

    def _become(self, keys: Iterable[str], state: str) -> None:
        for key in keys:
            self.states[key] = replace(self.states[key], state=state)

    def invite(self, key: str, guest: Guest) -> bool:
        self.calls.append(f"invite {guest.name}")
        return True

    def dismiss(self) -> None:
        self.calls.append("dismiss")

    def execute(
        self,
        key: str,
        words: tuple[str, ...],
        *,
        environment: Mapping[str, str] = NOTHING,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
        terminal: bool = False,
    ) -> Executed:
        self.calls.append(f"execute {key}: {' '.join(words)}")
        return Executed(0)

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

    def down(self, *, volumes: bool = False) -> None:
        self.calls.append("down with volumes" if volumes else "down")
        self.states.clear()

    def logs(self, keys: Iterable[str], *, follow: bool, since: str, tail: str) -> Iterator[str]:
        yield from (f"{key}: a line" for key in keys)

    def command(self) -> tuple[str, ...]:
        return ("true",)

    def port_owner(self, port: int) -> str:
        return self.owners.get(port, "")


@dataclass
class FakeProber:
    answers: Mapping[int, Answer] = field(default_factory=dict)
    """By host port; all others are well."""

    def get_ready(self) -> None:
        """Nothing to load."""

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]:
        return {key: self.answers.get(target.port, WELL) for key, target in targets.items()}


@dataclass
class FakePorts:
    busy: Mapping[int, str] = field(default_factory=dict)

    def taken(self, port: int) -> bool:
        return port in self.busy

    def owner(self, port: int) -> str:
        return self.busy.get(port, "")


@dataclass
class FakeHome(FakeJournal, OwnFiles):
    kept: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    runs_on: str = ""
    up: frozenset[str] = frozenset()
    complete: frozenset[str] = frozenset()
    taken: int = 0
    """So many tries to claim this home fail."""
    files: str = "as they were"
    root: Path = Path("/home/toy")

    def sources(self, services: Iterable[str]) -> tuple[Source, ...]:
        files = (Source(f"config/{i}/.env", self.own[i], i) for i in services if i in self.own)
        return (*files, Source("secrets", self.kept))

    def secrets(self) -> dict[str, str]:
        return dict(self.kept)

    def add_secrets(self, missing: Mapping[str, Variable]) -> None:
        self.kept |= {name: f"drawn-for-{name.lower().replace('_', '-')}" for name in missing if name not in self.kept}

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        self.kept |= values

    def forget_secrets(self, names: Iterable[str]) -> None:
        for name in names:
            self.kept.pop(name, None)

    def set_up(self) -> frozenset[str]:
        return self.complete

    def remember_set_up(self, services: Iterable[str]) -> None:
        self.complete = frozenset(services)

    def write_compose_env(self, values: Mapping[str, str]) -> None:
        assert set(self.kept) - {"STORE_TICKET"} <= set(values)

    def digest(self, mounted: Iterable[str]) -> str:
        return self.files if list(mounted) else ""

    def inputs(self) -> dict[str, str]:
        return dict(self.made)

    def engine(self) -> str:
        return self.runs_on

    def remember_engine(self, name: str) -> None:
        self.runs_on = name

    def remember_inputs(self, digests: Mapping[str, str]) -> None:
        self.made |= digests

    def started(self) -> frozenset[str]:
        return self.up

    def remember_started(self, services: Iterable[str]) -> None:
        self.up = frozenset(services)

    def claim(self) -> TextIO | None:
        self.taken -= 1
        return None if self.taken >= 0 else StringIO()


@dataclass
class Toy:
    """A toy platform and everything that happened on it."""

    engine: FakeEngine = field(default_factory=lambda: FakeEngine(TOY))
    prober: FakeProber = field(default_factory=FakeProber)
    prover: FakeProver = field(default_factory=FakeProver)
    contents: FakeContents = field(default_factory=FakeContents)
    ports: FakePorts = field(default_factory=FakePorts)
    home: FakeHome = field(default_factory=FakeHome)
    copier: FakeCopier = field(default_factory=FakeCopier)
    shelf: FakeShelf = field(default_factory=FakeShelf)
    events: list[Event] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> list[str]:
        """The events as one reads them, without their times."""
        return [" ".join(filter(None, (e.kind, e.subject, e.message))) for e in self.events]

    def world(self) -> World:
        return World(
            catalogue=TOY,
            environment=self.environment,
            home=self.home,
            engine=self.engine,
            prober=self.prober,
            prover=self.prover,
            contents=self.contents,
            ports=self.ports,
            copier=self.copier,
            shelf=self.shelf,
            sink=self.events.append,
        )
