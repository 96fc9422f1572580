"""What a service is: one typed value per service, all data, no behaviour.

Functions of a declaration (`Callable[[Any], …]`) take the service's own env model. They are called twice: with real
values (probes, `info`) and with a symbolic model whose values are Compose variables (rendering).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from arcctl.core.backup import Method
from arcctl.core.bootstrap import Resource
from arcctl.core.connect import Shell, Where
from arcctl.core.contents import Holding
from arcctl.core.env import ServiceEnv
from arcctl.core.monitoring import Document, Monitoring
from arcctl.core.probe import Probe
from arcctl.core.proof import Call, Proof
from arcctl.core.secret import Fixed, Rotation
from arcctl.core.sources import Source
from arcctl.core.trace import Signal

E = TypeVar("E", bound=ServiceEnv)


class Layer(StrEnum):
    OBSERVABILITY = "observability"
    PLATFORM = "platform"
    OWN = "own"
    """What a user added to a home."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port of the container, published on the host's loopback address."""

    container: int
    host: int
    name: str = "http"
    gateway: bool = False
    """Whether production publishes it too."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a server leaves in its data once that is initialised."""

    version_file: str
    """Holds the version of the data that is there."""
    others: tuple[str, ...] = ()
    """Files that a whole data folder has besides."""
    folder: str = "."
    """A pattern of where they are in the container's volume; a local process has them at the top of its own."""

    @property
    def files(self) -> tuple[str, ...]:
        return (self.version_file, *self.others)


@dataclass(frozen=True)
class Volume:
    """A named volume, `<project>_<service>_<name>`, kept by everything but `clean`."""

    name: str
    path: str
    stamp: Stamp | None = None


@dataclass(frozen=True)
class Bind:
    """A file or folder of `config/<service>/`, mounted read-only."""

    source: str
    path: str


@dataclass(frozen=True)
class HostPath:
    """A path of the host, mounted read-only. Only the socket proxy has one."""

    source: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Inline:
    """A file made of `text` when the container is created: how secrets get in without showing in `inspect`."""

    path: str
    text: str = field(repr=False)
    uid: int = 0
    gid: int = 0
    mode: int = 0o400
    first_run: bool = False
    """Whether only the first start on an empty volume reads it: another text is no reason for a new container."""


@dataclass(frozen=True)
class Routes:
    """The gateway's routes, made from everybody's labels: what the embedded engine has instead of a socket to read."""

    path: str


Mount = Volume | Bind | HostPath | Inline | Routes


@dataclass(frozen=True, kw_only=True)
class Healthcheck:
    """A command that the image can run inside itself; without one Compose can only know that it started."""

    test: tuple[str, ...]
    interval: int = 10
    timeout: int = 5
    retries: int = 12
    start_period: int = 60


@dataclass(frozen=True, kw_only=True)
class Limits:
    memory_mb: int
    pids: int = 512


@dataclass(frozen=True, kw_only=True)
class Link:
    """A place that a person or a program connects to, as `info` shows it."""

    name: str
    url: str
    user: str = ""
    secret: str = field(default="", repr=False)
    page: bool = False
    """Whether it is for a browser."""


@dataclass(frozen=True, kw_only=True)
class Process(Generic[E]):
    """The same server as a local process: only what differs from its container.

    Texts are written as for the container. The engine puts local paths and addresses in their place: `/etc/x` becomes
    the local copy of what is mounted there, `redis:6379` or `0.0.0.0:6379` becomes `127.0.0.1:<local port>`.
    """

    sources: tuple[Source, ...]
    """In order of preference; the first that is ready is used."""
    command: Callable[[E], tuple[str, ...]]
    """`{program}` stands for the server, `{artifact}` for the folder that its source made."""
    first_run: tuple[str, ...] = ()
    """What makes the data volume while it is empty, written to `{data}`."""
    environment: Callable[[E], Mapping[str, str]] = lambda env: {}
    """Over the container's; `{home}` stands for the home, `{artifact}` as above."""
    mounts: Callable[[E], tuple[Mount, ...]] = lambda env: ()
    patches: Callable[[E], Mapping[str, Any]] = lambda env: {}
    """For YAML files by their container path: what is merged over them; None takes a key away."""
    ports: Mapping[int, int] = field(default_factory=dict)
    """Local ports of container ports that are not published, where two servers would want the same."""
    alone: bool = False
    """Whether its data is bound to an address that only one server of a machine can have."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Settings that start from another value here."""
    stop_signal: str = "TERM"


@dataclass(frozen=True, kw_only=True)
class Container(Generic[E]):
    """Anything that runs in a container: what services and helpers share."""

    image: str
    limits: Limits
    env: type[E]
    pinned: str = ""
    """The image that the declaration names, where this home chose another tag of it."""
    data_version: str = ""
    """A pattern: its group is, in a tag of the image, the version of the data. No other version reads that data."""
    build: str = ""
    """Folder to build `image` from, relative to the home; empty for images that are pulled."""
    user: str = ""
    hostname: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Callable[[E], Mapping[str, str]] = lambda env: {}
    mounts: Callable[[E], tuple[Mount, ...]] = lambda env: ()
    labels: Callable[[E], Mapping[str, str]] = lambda env: {}
    ports: Callable[[E], tuple[Port, ...]] = lambda env: ()
    healthcheck: Healthcheck | None = None
    capabilities: tuple[str, ...] = ()
    """Linux capabilities to keep; all others are dropped."""
    read_only: bool = False
    has_tar: bool = False
    """Whether its image brings `sh` and `tar`: what volumes are copied with."""
    tmpfs: tuple[str, ...] = ()
    shm_mb: int = 0
    stop_grace: int = 10
    """Seconds between the stop signal and the kill."""
    networks: tuple[str, ...] = ("arc",)
    resolver: tuple[str, ...] = ()
    """A command of the image that fails where the name behind it is not found; empty where it has none."""
    process: Process[E] | None = None
    """None where the server cannot run without a container."""


@dataclass(frozen=True, kw_only=True)
class Helper(Container[E]):
    """A container that a service needs and nobody asks for by name."""

    id: str
    one_shot: bool = False
    """Runs to its end at each `up`; what stands behind it in the service's `helpers` waits for that."""
    aside: bool = False
    """Starts after its service instead of before it (an exporter)."""
    migrates: bool = False
    """A one-shot that brings the tables of its service to what its server expects."""


@dataclass(frozen=True, kw_only=True)
class Service(Container[E]):
    """One of the platform's services, declared once."""

    module: str
    """`__name__` of the declaring module: the service's id is its file name."""
    title: str
    layer: Layer
    probe: Callable[[E], Probe]
    needs: tuple[Service[Any], ...] = ()
    helpers: tuple[Helper[Any], ...] = ()
    left_out: tuple[Helper[Any], ...] = ()
    """Helpers that this engine has no use for; their settings stay known."""
    links: Callable[[E], tuple[Link, ...]] = lambda env: ()
    connect: Callable[[E, Where], Mapping[str, str]] = lambda env, where: {}
    """What a program that uses it finds in its environment, by the conventions of its ecosystem."""
    shells: Callable[[E], tuple[Shell, ...]] = lambda env: ()
    """What a person talks to it with, the best first."""
    signals: Mapping[Signal, Call] = field(default_factory=dict)
    """What it has to say of one request, by its trace id."""
    proofs: Callable[[E], tuple[Proof, ...]] = lambda env: ()
    """How it shows that it does its job; its other services are named by their ids."""
    resources: Callable[[E], tuple[Resource, ...]] = lambda env: ()
    """What it has to hold before anyone can use it, in the order in which it is made."""
    holds: Callable[[E], tuple[Holding, ...]] = lambda env: ()
    """What users keep in it, with how a client gets at that: databases, topics, flags, accounts."""
    backup: Callable[[E], Method | None] = lambda env: None
    """How its data is taken and put back; what has none keeps its data in another service, or keeps none."""
    rotations: tuple[Rotation[E] | Fixed, ...] = ()
    """How each of its own secrets is changed, or why it cannot be."""
    monitoring: Monitoring = field(default_factory=Monitoring)
    files: Callable[[Catalogue], Mapping[str, Document]] = lambda catalogue: {}
    """Files of its folder in `config/` that are rendered from all declarations, by their path there."""

    @property
    def id(self) -> str:
        return self.module.rpartition(".")[2].replace("_", "-")


@dataclass(frozen=True)
class Catalogue:
    """All services, in the order of their ids, with the questions that everybody asks of them."""

    services: Mapping[str, Service[Any]]

    def containers(self, ids: tuple[str, ...] | None = None) -> dict[str, Container[Any]]:
        """Every container by its Compose key: the services asked for (default: all) and their helpers."""
        found: dict[str, Container[Any]] = {}
        for service_id in self.services if ids is None else ids:
            service = self.services[service_id]
            found |= {h.id: h for h in service.helpers} | {service_id: service}
        return found

    def with_signal(self, signal: Signal) -> Service[Any]:
        """The one service that has this to say of a request."""
        return next(s for s in self.services.values() if signal in s.signals)

    def layer(self, layer: Layer) -> tuple[str, ...]:
        return tuple(i for i, s in self.services.items() if s.layer is layer)


def container_name(project: str, compose_key: str) -> str:
    """`arc_otel_collector` for `otel-collector`."""
    return f"{project}_{compose_key.replace('-', '_')}"
