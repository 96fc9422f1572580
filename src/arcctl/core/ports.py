"""The seams to the world: what the use-cases ask of an engine, a prober and a home."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TextIO

if TYPE_CHECKING:
    from arcctl.core import sources
    from arcctl.core.checkup.facts import EngineReport, HomeFacts, Host
    from arcctl.core.checkup.finding import Mend
    from arcctl.core.contents import Broker, Database, Databases, Loss, Topic, Wanted
    from arcctl.core.env import Variable
    from arcctl.core.observed import Observed
    from arcctl.core.probe import Answer, Probe
    from arcctl.core.proof import Call, Guest, Proof, Step
    from arcctl.core.secret import Change
    from arcctl.core.settings import Source
    from arcctl.core.sources import Offer
    from arcctl.core.stored import Image, Locked
    from arcctl.core.usage import Usage


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What an engine says of itself: sizes in bytes, 0 where it does not say."""

    versions: Mapping[str, str]
    """Version of each program that makes up the engine, by its name."""
    memory: int
    cpus: int
    disk_free: int = 0


@dataclass(frozen=True)
class Target:
    """A probe and the loopback port at which it is asked."""

    probe: Probe
    port: int


NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Executed:
    """What became of a program: its exit code and what it said, as far as nobody else was handed that."""

    code: int
    stdout: bytes = b""
    stderr: str = ""


class Engine(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def usual(self) -> tuple[str, ...]:
        """What `up` without words starts."""

    @property
    def defaults(self) -> Mapping[str, str]:
        """Settings that start from another value on this engine."""

    def facts(self) -> EngineFacts: ...
    def observe(self) -> Observed: ...
    def hashes(self) -> Mapping[str, str]: ...
    def volumes(self) -> tuple[str, ...]: ...
    def images(self, references: Iterable[str]) -> Mapping[str, str]: ...
    def fetch(self, key: str) -> Iterator[str]:
        """Bring what one container or process is made from; yields what happens."""

    def recover(self) -> bool:
        """Put in order what a part of the engine that died left behind; whether there was anything."""

    def start(self, keys: Iterable[str], *, recreate: bool = False) -> None: ...
    def unpause(self, keys: Iterable[str]) -> None: ...
    def invite(self, key: str, guest: Guest) -> bool:
        """Start a guest from a container's image; False on an engine that has no containers."""

    def dismiss(self) -> None:
        """Remove every guest, also one that an interrupted run left."""

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
        """Run a program that a container brings, beside its server; `environment` never shows in a process list.

        With `terminal` it gets the caller's own three streams. Raises ProgramMissing where the program is not here.
        """

    def usage(self, keys: tuple[str, ...]) -> Mapping[str, Usage]:
        """What those that run take now."""

    def disk(self) -> Mapping[str, int]:
        """Bytes of data on disk, by the key of each container that has data."""

    def stop(self, keys: Iterable[str]) -> None: ...
    def restart(self, keys: Iterable[str]) -> None: ...
    def remove(self, keys: Iterable[str], volumes: Iterable[str]) -> None:
        """Take these containers away, and these of the engine's volumes."""

    def down(self, *, volumes: bool = False) -> None: ...
    def logs(self, keys: Iterable[str], *, follow: bool, since: str, tail: str) -> Iterator[str]: ...
    def command(self) -> tuple[str, ...]: ...
    def port_owner(self, port: int) -> str: ...


class Examiner(Protocol):
    """Looks at the machine, the home and the traces of the engine; changes nothing but by `mend`."""

    def host(self) -> Host: ...
    def home(self) -> HomeFacts: ...
    def engine(self) -> EngineReport:
        """Raises nothing: what does not answer is told in the report."""

    def mend(self, mend: Mend) -> str:
        """Do one safe thing and say it; empty where nothing was to be done any more."""


class Servers(Protocol):
    """Where the servers of local processes come from, and the cache they are in."""

    def offers(self) -> tuple[Offer, ...]: ...
    def make(self, source: sources.Source) -> Iterator[str]: ...
    def size(self) -> int: ...
    def clean(self) -> None: ...


class Images(Protocol):
    """The images that an engine holds."""

    def look(self, references: Iterable[str]) -> Mapping[str, Image]: ...
    def pull(self, reference: str) -> Iterator[str]:
        """Bring an image from its registry; yields what happens."""

    def save(self, images: Mapping[str, Image], path: Path) -> None:
        """One archive with these images and a list of what is in it."""

    def load(self, path: Path) -> Mapping[str, Image]:
        """Take in what `save` wrote, as its list says it. Raises ArchiveError for one that is damaged."""

    def name(self, image_id: str, reference: str) -> None:
        """Give an image that is here a reference."""


class Registries(Protocol):
    """Where images come from."""

    async def tags(self, repositories: Iterable[str], timeout: float) -> Mapping[str, tuple[str, ...] | str]:
        """The tags of each repository, or why they are not known."""


class Prober(Protocol):
    def get_ready(self) -> None:
        """Load what asking takes: worth doing while the engine is thinking."""

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]: ...


class Prover(Protocol):
    async def prove(
        self, owner: str, proof: Proof, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        """Carry out one proof; `ports` has the published port of each container port, by container key."""

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        """One call by itself: what came of it, the answer's body, and the values with those that it took."""

    async def attempt(
        self,
        owner: str,
        proofs: tuple[Proof, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        """Proofs one after the other: what did not hold, empty where all did, and the values with those taken."""


class DatabaseClient(Protocol):
    """What is inside a database server."""

    async def databases(self) -> tuple[Database, ...]: ...
    async def roles(self) -> frozenset[str]: ...
    async def loss(self, name: str) -> Loss: ...
    async def drop(self, name: str, role: str) -> None:
        """The database, and the role where one is named; either may be gone already."""


class BrokerClient(Protocol):
    """What is inside a broker."""

    async def topics(self) -> tuple[Topic, ...]: ...
    async def create(self, wanted: Wanted) -> None: ...
    async def delete(self, name: str) -> None: ...
    async def produce(self, name: str, messages: AsyncIterator[bytes], subject: str) -> int:
        """How many messages the broker has stored when all were sent."""

    def consume(self, name: str, *, new: bool, follow: bool) -> AsyncGenerator[bytes]:
        """The messages that are there, or with `new` those that come from now on. Takes none away."""


class Contents(Protocol):
    """Clients for what services hold; `ports` has the published port of each container port."""

    def databases(self, service: str, held: Databases, ports: Mapping[int, int]) -> DatabaseClient: ...
    def broker(self, service: str, held: Broker, ports: Mapping[int, int]) -> BrokerClient: ...


class Ports(Protocol):
    """The host's loopback ports."""

    def taken(self, port: int) -> bool: ...
    def owner(self, port: int) -> str: ...


class Home(Protocol):
    @property
    def root(self) -> Path: ...
    def sources(self, services: Iterable[str]) -> tuple[Source, ...]: ...
    def secrets(self) -> dict[str, str]: ...
    def add_secrets(self, missing: Mapping[str, Variable]) -> None: ...
    def keep_secrets(self, values: Mapping[str, str]) -> None: ...
    def forget_secrets(self, names: Iterable[str]) -> None: ...
    def set_value(self, service: str, name: str, value: str | None) -> None:
        """Put one setting into the service's file, or take it out; all other lines stay."""

    def draw(self, variable: Variable) -> str:
        """A new secret, which is kept nowhere yet."""

    def changed(self) -> Mapping[str, str]:
        """When each secret was last changed, as far as is known."""

    def rotation(self) -> tuple[Change, ...]:
        """The secrets that a rotation began to change and has not ended."""

    def remember_rotation(self, changes: Iterable[Change]) -> None:
        """Keep them until they are done; nothing ends the rotation."""

    def write_compose_env(self, values: Mapping[str, str]) -> None: ...
    def digest(self, mounted: Iterable[str]) -> str: ...
    def inputs(self) -> dict[str, str]: ...
    def image_lock(self) -> Mapping[str, Locked]:
        """What each reference has to be; empty where nothing was locked."""

    def lock_images(self, lock: Mapping[str, Locked]) -> None: ...
    def note(self, name: str) -> dict[str, Any]:
        """What was kept under this name; empty where nothing was."""

    def keep_note(self, name: str, document: Mapping[str, Any]) -> None: ...
    def engine(self) -> str: ...
    def remember_engine(self, name: str) -> None: ...
    def remember_inputs(self, digests: Mapping[str, str]) -> None: ...
    def started(self) -> frozenset[str]: ...
    def remember_started(self, services: Iterable[str]) -> None: ...
    def set_up(self) -> frozenset[str]:
        """The services that hold all that they have to, as far as is known."""

    def remember_set_up(self, services: Iterable[str]) -> None: ...
    def claim(self) -> TextIO | None:
        """The right to change this home, given back when it is closed; None while another process has it."""


class Session(Protocol):
    """A prompt of our own that is logged in."""

    def do(self, words: Sequence[str]) -> Iterator[str]:
        """One command and the lines of its answer. Raises CommandRefused."""

    def listen(self) -> None:
        """Wait for messages as long as anybody subscribed to some."""

    def close(self) -> None:
        """End it when everything that was asked for has come."""
