"""What checks are decided on: gathered once, frozen. None and empty stand for what a machine does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arcctl.core.observed import Unavailable

if TYPE_CHECKING:
    from arcctl.core.ports import EngineFacts


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine and the account that arcctl runs on."""

    python: tuple[int, int, int]
    interpreter: str
    now: float
    """Seconds since 1970, by this machine's clock."""
    wsl: bool = False
    user: str = ""
    root: bool = False
    unprivileged: bool = True
    """Whether there is the account that servers of root run as."""
    open_files: tuple[int, int] | None = None
    """Soft and hard limit."""
    inotify_watches: int | None = None
    inotify_instances: int | None = None
    overcommit: int | None = None
    lowest_port: int | None = None
    """The lowest port that an ordinary user may listen on."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A private file or folder of the home."""

    path: str
    mode: int
    wanted: int
    owner: str
    mine: bool = True


@dataclass(frozen=True, kw_only=True)
class HomeFacts:
    root: str
    initialised: bool
    """Whether there is a file of secrets."""
    private: tuple[File, ...] = ()
    newest: float = 0.0
    """When the youngest of the private files was written."""
    link: str = ""
    """What is wrong with the link that plain `docker compose` needs; empty where nothing is."""
    link_path: str = ""
    linkable: bool = False
    """Whether the link can be made without touching anything of the user's."""
    leftovers: tuple[str, ...] = ()
    """Half-written files of commands that were killed."""
    busy: str = ""
    """The process that changes this home now."""
    settings: int = 0
    """How many settings fit."""
    problem: tuple[str, str] | None = None
    """What is wrong with them, and the hint."""
    near_misses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolumeFacts:
    """A data volume whose server leaves a stamp in it."""

    name: str
    service: str
    missing: tuple[str, ...] = ()
    """What an initialised one has and this one has not; an empty volume misses nothing."""
    version: str = ""
    """Major version of the data; empty while there is none."""
    wanted: str = ""
    """The one that the server works with."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Names that were resolved inside a container, and outside it for comparison."""

    inside: str
    """The container in which they were."""
    own: bool
    """Whether another name of the platform was found."""
    outer: str
    """A name of the internet."""
    outer_found: bool
    host_finds: bool = True


@dataclass(frozen=True, kw_only=True)
class EngineReport:
    """What an engine and its traces on this machine say."""

    name: str
    problem: tuple[str, str] | None = None
    """Why it does not answer, and the hint."""
    compose_problem: tuple[str, str] | None = None
    facts: EngineFacts | None = None
    same_kernel: bool = True
    """Whether the kernel of this machine is the engine's too."""
    rootless: bool = False
    cgroup: str = ""
    memory_limits: bool | None = None
    storage: str = ""
    skew: float | None = None
    """Seconds that the engine's clock is ahead of this machine's."""
    lookup: Lookup | None = None
    lookup_possible: bool = False
    """Whether the engine has a network of its own in which names could fail."""
    volumes: tuple[VolumeFacts, ...] = ()
    all_volumes: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    """Containers and data that another home made, with its place."""
    undeclared: tuple[str, ...] = ()
    """Data volumes of this platform that no declaration names."""
    remove_foreign: str = ""
    """The command that removes the first of what is foreign."""
    remove_undeclared: str = ""
    unfinished: tuple[str, ...] = ()
    """Data folders that were being made when a command was killed."""
    supervisor: str = ""
    """Empty where none is needed, else running, killed or gone."""
    outlived: tuple[int, ...] = ()
    """Servers that outlived their supervisor."""
    socket: str = ""
    """Path of the supervisor's socket."""
    socket_limit: int = 0
    unavailable: Mapping[str, Unavailable] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A port that a service which does not run could not have."""

    port: int
    service: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    host: Host
    home: HomeFacts
    engine: EngineReport
    proxies: Mapping[str, str]
    """The variables of the environment that name proxies, in lower case."""
    taken: tuple[Taken, ...] | None
    """None where it could not be looked."""
    low_ports: Mapping[int, str] = field(default_factory=dict)
    """Published ports below 1024 with their services."""
    memory_wanted: int = 0
    """Bytes that all services together may use."""
    started: bool = False
    """Whether this home was ever started."""
