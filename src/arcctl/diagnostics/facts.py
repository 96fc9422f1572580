"""What the rules decide on, collected once. None and empty stand for what a machine does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from arcctl.checks.cause_report import Explanation
from arcctl.engines.base import Unavailable
from arcctl.model.disk import Disk
from arcctl.model.names import LOOPBACK
from arcctl.model.probe import Finding

if TYPE_CHECKING:
    from arcctl.diagnostics.diagnosis import Repair
    from arcctl.engines.base import EngineFacts
    from arcctl.engines.docker.products import Product


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine and the account that arcctl runs on."""

    python: tuple[int, int, int]
    interpreter: str
    now: float
    """Seconds since 1970, by this machine's clock."""
    wsl: bool = False
    user: str = ""
    home: str = ""
    root: bool = False
    unprivileged: bool = True
    """Whether the account exists that servers of root run as."""
    open_files: tuple[int, int] | None = None
    """Soft and hard limit."""
    inotify_watches: int | None = None
    inotify_instances: int | None = None
    overcommit: int | None = None
    lowest_port: int | None = None
    """The lowest port that an ordinary user may listen on."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A private file or folder of the project."""

    path: str
    mode: int
    wanted: int
    owner: str
    mine: bool = True


@dataclass(frozen=True, kw_only=True)
class ProjectFacts:
    root: str
    initialised: bool
    """Whether there are secrets, as far as it can be read."""
    secrets_lost: bool = False
    """Whether `problem` is that they are lost."""
    unreadable: tuple[tuple[str, str, str], ...] = ()
    """What is wrong with each file that could not be read, what to do, and its path where it can be set aside."""
    private: tuple[File, ...] = ()
    disk: Disk | None = None
    """The file system with the state folder."""
    mounted: tuple[File, ...] = ()
    """What containers mount and their users cannot read."""
    selinux_label: str = ""
    """The SELinux label of what containers mount; empty on a system without SELinux."""
    newest: float = 0.0
    """When the newest private file was written; seconds since 1970."""
    link: str = ""
    """What is wrong with the link that plain `docker compose` needs; empty where it is right."""
    link_path: str = ""
    linkable: bool = False
    """Whether the link can be created without touching a file of the user."""
    link_blocked: bool = False
    """Whether a regular file of the user is in its place."""
    leftovers: tuple[str, ...] = ()
    """Incomplete files of commands that were killed."""
    busy: str = ""
    """The process that is changing this project now."""
    settings: int = 0
    """How many settings there are, when all are valid."""
    problem: tuple[str, str] | None = None
    """Why settings are invalid, and the hint."""
    near_misses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolumeFacts:
    """A data volume with a file that says its version."""

    name: str
    service: str
    missing: tuple[str, ...] = ()
    """Files of an initialised volume that this one lacks; none for an empty volume."""
    version: str = ""
    """Major version of the data; empty without data."""
    wanted: str = ""
    """The version that the server can read."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Names looked up inside a container, and on this machine for comparison."""

    inside: str
    """The container."""
    containers_found: bool
    """Whether the name of another container was found."""
    outer: str
    """A name on the internet."""
    outer_found: bool
    host_finds: bool = True


@dataclass(frozen=True, kw_only=True)
class EngineReport:
    """What an engine and its files on this machine say."""

    name: str
    problem: tuple[str, str] | None = None
    """Why it does not answer, and the hint."""
    compose_problem: tuple[str, str] | None = None
    facts: EngineFacts | None = None
    same_kernel: bool = True
    """Whether this machine and the engine share a kernel."""
    product: Product | None = None
    """Whose Docker engine it is, where that is not Docker's own on Linux."""
    in_wsl: bool = False
    docker_socket: str = ""
    """The engine's socket as a container mounts it; empty where unknown."""
    rootless: bool = False
    selinux: bool = False
    """Whether it confines containers with SELinux."""
    cgroup: str = ""
    memory_limits: bool | None = None
    storage: str = ""
    skew: float | None = None
    """Seconds that the engine's clock is ahead of this machine's."""
    lookup: Lookup | None = None
    lookup_possible: bool = False
    """Whether the engine has a network of its own that resolves names."""
    volumes: tuple[VolumeFacts, ...] = ()
    all_volumes: tuple[str, ...] = ()
    other_projects: tuple[str, ...] = ()
    """Containers and data of other projects, each with the project directory."""
    undeclared: tuple[str, ...] = ()
    """Data volumes of this project that no service declares."""
    about_other_projects: str = ""
    """What to do about the first of them; nothing that may destroy the only copy of data."""
    about_undeclared: str = ""
    unfinished: tuple[str, ...] = ()
    """Data folders that were being created when a command was killed."""
    supervisor: str = ""
    """running, silent (it does not answer), stopped or gone; empty for an engine without one."""
    outlived: tuple[int, ...] = ()
    """Process ids of servers that run without their supervisor."""
    socket: str = ""
    """Path of the supervisor's socket."""
    socket_limit: int = 0
    unavailable: Mapping[str, Unavailable] = field(default_factory=dict)
    docker_refused: tuple[str, str] | None = None
    """Why this user may not use Docker, and the hint, where another engine is in use."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A port of a service that another program uses."""

    port: int
    service: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class SocketMount:
    """What a component mounts as the engine's socket."""

    service: str
    component: str
    setting: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Removable:
    """Something on a full disk that is not needed to run."""

    what: str
    command: str
    size: int = 0
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    host: Host
    directory: ProjectFacts
    engine: EngineReport
    proxies: Mapping[str, str]
    """The proxy variables of the environment, in lower case."""
    taken: tuple[Taken, ...] | None
    """None where it could not be checked."""
    unresolved: tuple[str, ...] = ()
    """Names of the gateway that this machine does not resolve to itself."""
    reached_at: str = LOOPBACK
    """The machine on which ports are published."""
    gateway_port: int = 0
    """Where the gateway serves them; 0 where there is none."""
    ports_twice: tuple[tuple[str, str], ...] = ()
    """Ports that two components would use, each with what changes that."""
    low_ports: Mapping[int, str] = field(default_factory=dict)
    """Published ports below 1024 with their services."""
    memory_wanted: int = 0
    """Bytes that all services together may use."""
    memory_default: int = 0
    """Bytes that the services may use which `up` starts without names."""
    socket_mounts: tuple[SocketMount, ...] = ()
    started: bool = False
    """Whether this project was ever started."""
    removable: tuple[Removable, ...] = ()
    """Looked for only where a disk is full."""
    causes: tuple[tuple[str, Explanation], ...] = ()
    """Why components crashed, as far as that is known, with their keys."""
    findings: tuple[tuple[str, Finding], ...] = ()
    """What probes saw of servers that answer, with the id of each service."""


class Collector(Protocol):
    """Reads the machine, the project and the engine; only `repair` changes anything."""

    def host(self) -> Host: ...
    def directory(self) -> ProjectFacts: ...
    def engine(self) -> EngineReport:
        """Raises nothing: an engine that does not answer is part of the report."""

    def unresolved(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those that this machine does not resolve to a loopback address."""

    def removable(self, path: str) -> tuple[Removable, ...]:
        """What commands can remove from the file system of a path."""

    def repair(self, repair: Repair) -> str:
        """What was done, as one line; empty where nothing was left to do."""
