"""What the use-cases ask of an engine, and the values that it answers with."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    import asyncio

    from arcctl.model.disk import Disk
    from arcctl.model.image import Image
    from arcctl.model.smoke_test import EphemeralContainer

ABSENT = "absent"
Tell = Callable[[str], None]
"""Takes a line for the user, about what is being waited for."""


def silent(line: str) -> None:
    """For a caller that shows nothing."""


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    state: str
    """created, running, paused, restarting, exited, dead; `absent` where there is none."""
    health: str = ""
    """The container's own health check: starting, healthy, unhealthy; empty where it has none."""
    health_log: str = ""
    """Last line that this check printed."""
    exit_code: int = 0
    oom_killed: bool = False
    restarts: int = 0
    config_hash: str = ""
    image: str = ""
    image_id: str = ""
    version: str = ""
    """The server's version, where that is not the tag of the image."""
    directory: str = ""
    """The project directory that it was started from, where that still exists; empty on the embedded engine."""
    stub: bool = False
    """Whether the image says that it is a stub and not the real server."""
    ports: Mapping[int, int] = field(default_factory=dict)
    """Published host port of each container port."""
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Where each data volume is on the engine's machine, by its path in the container."""
    started_at: str = ""
    """When it was last started, as an ISO 8601 time in UTC; empty where it never was."""
    networks: frozenset[str] = frozenset()
    """Networks of its declaration on which others find it by its name; empty on an engine without networks."""
    cut_off: tuple[str, ...] = ()
    """Why clients do not reach it: networks, names and ports that it should have and has lost."""
    changed: tuple[str, ...] = ()
    """What else was changed since it was created."""

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def alive(self) -> bool:
        """Whether there are processes of it, or will be again without a command."""
        return self.state in ("running", "paused", "restarting")

    @property
    def crashed(self) -> bool:
        """Whether it ended by itself, also where the engine has started it again."""
        return self.state in ("restarting", "dead") or self.restarts > 0 or self.exit_code != 0

    @property
    def last_exit(self) -> str:
        """Words to follow a crash; empty where the engine does not know the code, as a supervisor of short runs."""
        return f", last exit code {self.exit_code}" if self.exit_code else ""

    def __str__(self) -> str:
        """The state in words that follow a name or a colon."""
        return {
            ABSENT: "not started",
            "created": "created but not started",
            "exited": f"exited with code {self.exit_code}" + ", out of memory" * self.oom_killed,
            "restarting": f"keeps restarting{self.last_exit}",
            "dead": "crashed too often and is not restarted any more",
        }.get(self.state, self.state)


GONE = ContainerState(state=ABSENT)


@dataclass(frozen=True)
class Unavailable:
    """Why a service cannot run on this engine, and the command that changes that (empty where none does)."""

    reason: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.command})" if self.command else self.reason


@dataclass(frozen=True)
class Observed:
    """Components by Compose key; one that is not listed does not exist."""

    containers: Mapping[str, ContainerState]
    unavailable: Mapping[str, Unavailable] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)
    """The fullest file system with data of a component, by key, where it was asked for."""

    @property
    def published(self) -> Mapping[str, Mapping[int, int]]:
        """The published host port of each container port, by the key of each running component."""
        return {key: state.ports for key, state in self.containers.items() if state.running}

    def of(self, key: str) -> ContainerState:
        return self.containers.get(key, GONE)

    def why_not_running(self, service: str) -> str:
        """The reason, and the command that starts it here."""
        if service in self.unavailable:
            return f"not available here: {self.unavailable[service]}"
        return f"{self.of(service)} (arcctl up {service})"


@dataclass(frozen=True)
class RunsAs:
    user: str = ""
    """Empty where the engine leaves that to the image."""
    folder: str = ""
    """Where all processes of the project keep their files; empty where they are in containers."""


NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """Versions and sizes in bytes; 0 where the engine does not say."""

    versions: Mapping[str, str]
    """Version of each program that makes up the engine, by its name."""
    memory: int
    cpus: int
    disk: Disk | None = None
    """Where the engine keeps its data; None where that is on another machine."""
    lowest_port: int = 0
    """The first port that it may publish, where it runs without root on this machine; 0 where nothing limits it."""
    untested: str = ""
    """Its name and version, where it is a product with which no service was ever started."""
    id: str = ""
    """What tells it from another engine of the same kind; empty where it does not say, or has no others."""
    way: str = ""
    """The shell commands after which it is the one that answers."""

    @property
    def which(self) -> str:
        """What a project notes of the engine that has its data."""
        return f"{self.id} {self.way}" if self.id else ""


@dataclass(frozen=True, kw_only=True)
class EngineProject:
    """What one engine has of one project."""

    engine: str
    name: str = ""
    """Empty where the engine knows it by its directory only."""
    directory: str = ""
    """The project directory, which may not exist any more; empty where the engine does not say."""
    running: int = 0
    components: int = 0
    """Containers or processes that are to run for long, also those that do not run."""
    ports: tuple[int, ...] = ()
    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    """Volumes or data folders."""
    strangers: tuple[str, ...] = ()
    """Containers with its name that arcctl did not create: whose the networks and volumes are is not known then."""
    folder: str = ""
    """Where all of it is, for local processes."""
    memory: int = 0
    """Bytes, now."""
    disk: int = 0
    """Bytes of data."""


@dataclass(frozen=True, kw_only=True)
class EngineOverview:
    """What one engine has of all projects."""

    engine: str
    id: str = ""
    here: bool = True
    """Whether it sees the same folders as this program."""
    projects: tuple[EngineProject, ...] = ()


@dataclass(frozen=True)
class Executed:
    """How a program ended: its exit code, and its output where that was not written to a stream of the caller's."""

    code: int
    stdout: bytes = b""
    stderr: str = ""


@dataclass(frozen=True, kw_only=True)
class Usage:
    memory: int
    """Bytes."""
    cpu: float
    """Percent of one core."""
    limit: int = 0
    """Bytes of memory that it may take; 0 where nothing limits it."""


class Engine(Protocol):
    """Runs the components of one project, known by their Compose keys. Every method may raise EngineError."""

    @property
    def name(self) -> str: ...
    @property
    def default_services(self) -> tuple[str, ...]:
        """What `up` without names starts."""

    @property
    def defaults(self) -> Mapping[str, str]:
        """Settings that have another default on this engine."""

    @property
    def remote(self) -> bool:
        """Whether it shares no files and no ports with this machine."""

    @property
    def host(self) -> str:
        """The machine on which its published ports are reached."""

    @property
    def image_store(self) -> Images | None:
        """The engine's images; None where it runs none."""

    @property
    def unavailable(self) -> Mapping[str, Unavailable]:
        """The services that cannot run on it; known without asking it."""

    def named(self, project: str) -> Engine:
        """The same engine for a project with another name."""

    def project_names(self) -> frozenset[str]:
        """The names that a new project cannot have, because something on this engine has them."""

    def others(self) -> Mapping[str, str]:
        """What has the name of the project here and is not its own, each with the file that it was created from."""

    def facts(self) -> EngineFacts: ...
    def refuse_address(self, address: str) -> None:
        """Raises PreflightError where ports published on this address could not be reached from here."""

    def observe(self) -> Observed:
        """One snapshot of every component that exists."""

    def disks(self, observed: Observed) -> Mapping[str, Disk]:
        """The fullest file system with data of each component that exists, by key, as far as the engine says."""

    def hashes(self) -> Mapping[str, str]:
        """A hash of each component's configuration as it is now, by key; empty before there are settings."""

    def volumes(self) -> tuple[str, ...]:
        """Names of the project's data volumes that exist."""

    def volume_name(self, key: str, name: str) -> str:
        """The name on this engine of a volume that a component declares."""

    def create_volume(self, key: str, name: str) -> None:
        """Create an empty volume that a component declares, as its first start would."""

    def images(self, references: Iterable[str]) -> Mapping[str, str]:
        """The id of each image that the engine has, by its reference."""

    def fetch(self, key: str) -> Iterator[str]:
        """Build what one component runs from, where no registry has it; yields lines of progress."""

    def recover(self, tell: Tell = silent) -> tuple[str, ...]:
        """Repair what an interrupted command or a killed part of the engine left; the components that this ended."""

    def changes(self) -> AbstractAsyncContextManager[asyncio.Event]:
        """An event that is set when something of the project may have changed, as far as the engine says."""

    def create(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        """Create these components and no others, with `recreate` in the place of those that exist."""

    def start(self, keys: Iterable[str]) -> None:
        """Start these components and no others, and create those that are gone; returns before they serve."""

    def unpause(self, keys: Iterable[str]) -> None: ...
    def start_ephemeral(self, key: str, ephemeral: EphemeralContainer) -> bool:
        """Start an ephemeral container from a component's image; False on an engine that has no containers."""

    def remove_ephemeral(self) -> None:
        """Remove every ephemeral container of the project, also one that an interrupted command left."""

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
        """Run a program of a component in its place; values of `environment` never show in a process list.

        With `terminal` it gets the caller's own three streams. Raises ProgramMissing where there is no such program,
        EngineError where it takes longer than `seconds`.
        """

    def usage(self, keys: tuple[str, ...]) -> Mapping[str, Usage]:
        """What the running ones of these use now, by key."""

    def disk(self) -> Mapping[str, int]:
        """Bytes of data on disk, by the key of each component that has data."""

    def stop(self, keys: Iterable[str]) -> None: ...
    def restart(self, keys: Iterable[str]) -> None: ...
    def remove(self, keys: Iterable[str], volumes: Iterable[str]) -> None:
        """Remove components, and volumes by their names on this engine."""

    def down(self, tell: Tell = silent, *, volumes: bool = False) -> None:
        """Remove everything of the project; its data only with `volumes`."""

    def logs(self, keys: Iterable[str], *, follow: bool, since: str, tail: str) -> Iterator[str]:
        """Lines, each after the key of its component. Raises UsageError for what this engine cannot filter by."""

    def logs_of_last_run(self, key: str, *, tail: str) -> Iterator[str]:
        """The last lines that a component printed since it was started, in the form of `logs`.

        Where the engine started it again after a crash, which may not have printed anything yet, with those before.
        """

    def command(self) -> tuple[str, ...]:
        """The `docker compose` command line of the project. Raises UsageError on an engine without Compose."""

    def runs_as(self, key: str) -> RunsAs:
        """Who runs a component, for people."""

    def published_ports(self) -> frozenset[int]:
        """The ports that containers of any project have on the engine's machine, without those of processes."""

    def port_owner(self, port: int) -> str:
        """`container NAME` for who publishes a port of the host; empty where the engine does not know."""


@dataclass(frozen=True, kw_only=True)
class PullFailure:
    reason: str
    hint: str
    passing: bool
    """Whether the same pull may succeed in a moment."""


@dataclass(frozen=True, kw_only=True)
class PullProgress:
    """How far the pull of one image is, in bytes as far as they are known.

    A layer that several images share counts for one of them, so that the sums of all images are what is downloaded.
    """

    reference: str
    done: int = 0
    total: int = 0
    pulled: bool = False
    failure: PullFailure | None = None


class Images(Protocol):
    """The images that an engine has."""

    def look(self, references: Iterable[str]) -> Mapping[str, Image]:
        """Those of these references that exist, in the same order."""

    def pull(self, references: Iterable[str]) -> AsyncGenerator[PullProgress, None]:
        """Pull all of these beside each other; the last value of each says how it ended. Closing it ends the pull."""

    def save(self, images: Mapping[str, Image], path: Path) -> None:
        """Write one archive with these images and a list of them."""

    def load(self, path: Path) -> Mapping[str, Image]:
        """Load what `save` wrote. Raises ArchiveError for a damaged file."""

    def name(self, image_id: str, reference: str) -> None:
        """Give an existing image a reference."""


class ServerState(StrEnum):
    """Whether a local process has a program to run, the nearest first."""

    BUILT = "built"
    AUTOMATIC = "automatic"
    """`up` builds it by itself, in seconds."""
    BUILDABLE = "buildable"
    """`engine build` builds it, in minutes."""
    MISSING_TOOLS = "missing_tools"
    """This machine has not the tools to build it."""
    UNSUPPORTED = "unsupported"
    """No source is known: it runs in a container only."""


@dataclass(frozen=True, kw_only=True)
class Availability:
    """The best source that this machine has for the server of one process."""

    service: str
    process: str
    """Key of the component: the service itself or a sidecar."""
    state: ServerState
    source: str | None = None
    """Name of the source, which is also the name of the server that is built from it."""
    version: str = ""
    minutes: int | None = None
    """How long a build takes."""
    toolchain: tuple[str, ...] = ()
    """The programs that a build runs."""
    missing: tuple[str, ...] = ()
    """Those that this machine has not."""
    reason: str = ""
    """Why `up` cannot start it; empty where it can."""
    command: str = ""
    """What changes that."""

    @property
    def startable(self) -> bool:
        return self.state in (ServerState.BUILT, ServerState.AUTOMATIC)

    @property
    def buildable(self) -> bool:
        return self.state in (ServerState.AUTOMATIC, ServerState.BUILDABLE)


class Servers(Protocol):
    """The programs of local processes, and the cache that they are in."""

    def availabilities(self) -> tuple[Availability, ...]:
        """One for every source, and for every process without one."""

    def build(self, source: str) -> Iterator[str]:
        """Build a server by the name of its source; yields lines of progress. Raises BuildError."""

    def size(self) -> int:
        """Bytes of the cache."""

    def used_by(self) -> tuple[str, ...]:
        """The project directories whose processes run from the cache."""

    def clean(self) -> None:
        """Empty the cache."""


OLDEST = {"Docker": (28, 0), "Compose": (2, 29, 1)}
"""The one place: the refusal, doctor, the README and the docs say what is here. Docker 28.0 is the first that keeps
ports published on 127.0.0.1 from other machines of the network, and that gives a config file with `uid` and `gid` to a
service with `user`; Compose 2.29.1 is the first that says in JSON how many bytes of which layer it has pulled."""


def oldest(what: str) -> str:
    """The oldest version that will do, for people."""
    return ".".join(map(str, OLDEST[what]))


def _numbers(version: str) -> tuple[int, ...]:
    """All numbers of `28.0.1` and of `v2.40.3-desktop.1`, without zeros at the end: 28 is 28.0."""
    found = re.match(r"v?(\d+(?:\.\d+)*?)(?:\.0+)*(?![\d.])", version)
    return tuple(map(int, found[1].split("."))) if found else ()


def too_old(versions: Mapping[str, str]) -> tuple[str, str] | None:
    """A message and a hint for the first program that is too old; None where there is none. A `dev` build is not."""
    for what in OLDEST:
        found = versions.get(what, oldest(what))
        if _numbers(found) and _numbers(found) < _numbers(oldest(what)):
            return f"{what} {found} is too old", f"install {what} {oldest(what)} or newer"
    return None
