"""What a service is: one typed value per service, read facet by facet, all data and no behaviour.

Functions of a declaration (`Callable[[Any], …]`) take the service's own env model. They are called twice: with real
values (probes, `info`) and with a symbolic model whose values are Compose variables (rendering).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from arcctl.model.backup_method import Method
from arcctl.model.binaries import Source
from arcctl.model.connection import Endpoint, Shell, Where
from arcctl.model.data_store import DataStore
from arcctl.model.env import ServiceEnv, symbolic
from arcctl.model.names import PROJECT
from arcctl.model.probe import Probe, Runs
from arcctl.model.resource import Resource
from arcctl.model.rotation import Fixed, Rotation
from arcctl.model.smoke_test import SmokeTest
from arcctl.model.symptom import Symptom
from arcctl.model.telemetry import Document, LogStore, Signal, Telemetry

E = TypeVar("E", bound=ServiceEnv)


class Layer(StrEnum):
    OBSERVABILITY = "observability"
    PLATFORM = "platform"
    CUSTOM = "custom"
    """What a user added to a project."""


@dataclass(frozen=True)
class Port:
    """A port of the container, published on the host's loopback address."""

    container: int
    host: int
    name: str = "http"
    _: KW_ONLY
    gateway: bool = False
    """Whether production publishes it too."""


@dataclass(frozen=True, kw_only=True)
class DataVersionFile:
    """Files that show that a server has initialised its data."""

    version_file: str
    """Contains the version of the data."""
    others: tuple[str, ...] = ()
    """More files of a complete data folder."""
    folder: str = "."
    """A pattern for their folder in the container's volume; a local process has them at the top of its own."""

    @property
    def files(self) -> tuple[str, ...]:
        return (self.version_file, *self.others)


@dataclass(frozen=True)
class Volume:
    """A named volume, `<project>_<service>_<name>`, kept by everything but `clean`."""

    name: str
    path: str
    data_version_file: DataVersionFile | None = None


@dataclass(frozen=True)
class BindMount:
    """A file or folder of `config/<service>/`, mounted read-only."""

    source: str
    path: str


@dataclass(frozen=True)
class HostPath:
    """A path of the host, mounted read-only. Only the socket proxy has one."""

    source: str
    path: str


@dataclass(frozen=True)
class ConfigFile:
    """A file with `text`, written when the container is created. Secrets go in this way, so `inspect` shows none."""

    path: str
    text: str = field(repr=False)
    _: KW_ONLY
    uid: int = 0
    gid: int = 0
    mode: int = 0o400
    first_run: bool = False
    """Whether only the first start on an empty volume reads it, so a new text needs no new container."""


@dataclass(frozen=True)
class Routes:
    """The gateway's routes as a file, made from all labels: the embedded engine has no socket to read them from."""

    path: str


Mount = Volume | BindMount | HostPath | ConfigFile | Routes


@dataclass(frozen=True, kw_only=True)
class Healthcheck:
    """A command that runs inside the container; without one Compose knows only that it started.

    Each run is a process in a container, which costs more than what it asks: Docker's own interval, and none shorter
    but in the first seconds.
    """

    test: tuple[str, ...]
    interval: int = 30
    timeout: int = 5
    retries: int = 4
    start_period: int = 60


@dataclass(frozen=True, kw_only=True)
class Process(Generic[E]):
    """The same server as a local process: only what differs from its container.

    Texts are written as for the container. The engine puts local paths and addresses in their place: `/etc/x` becomes
    the local copy of what is mounted there, `redis:6379` or `0.0.0.0:6379` becomes `127.0.0.1:<local port>`.
    """

    sources: tuple[Source, ...]
    """In order of preference; the first that is available is used."""
    command: Callable[[E], tuple[str, ...]]
    """`{program}` is replaced by the path of the server, `{artifact}` by the folder that its source makes."""
    first_run: tuple[str, ...] = ()
    """The command that initialises an empty data volume, in `{data}`."""
    environment: Callable[[E], Mapping[str, str]] = lambda env: {}
    """Over the container's; `{directory}` is replaced by the project directory, `{artifact}` as above."""
    mounts: Callable[[E], tuple[Mount, ...]] = lambda env: ()
    patches: Callable[[E], Mapping[str, Any]] = lambda env: {}
    """For YAML files by their container path: what is merged over them; None removes a key."""
    ports: Callable[[E], tuple[Port, ...]] = lambda env: ()
    """Those of the container that are not published: here all servers share one address."""
    single_instance: bool = False
    """Whether its data is bound to an address, so that a copy of it cannot be used beside it."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Settings with another default here."""
    stop_signal: str = "TERM"


@dataclass(frozen=True, kw_only=True)
class Container(Generic[E]):
    """What is run: an image, how it starts, and what it may do."""

    image: str
    pinned: str = ""
    """The image that the declaration names, where this project chose another tag of it or a registry mirror."""
    build: str = ""
    """Folder to build `image` from, relative to the project directory; empty for images that are pulled."""
    has_tar: bool = False
    """Whether the image has `sh` and `tar`, which copy volumes."""
    has_nc: bool = False
    """Whether the image has `sh`, and `bash` or `nc`, which connect to other containers."""
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    init: bool = False
    """Whether an init process passes on signals. A server that is still starting gets none as process 1."""
    environment: Callable[[E], Mapping[str, str]] = lambda env: {}
    capabilities: tuple[str, ...] = ()
    """Linux capabilities to keep; all others are dropped."""
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    shm_mb: int = 0
    stop_grace: int = 10
    """Seconds between the stop signal and the kill."""
    memory_mb: int
    """Limit of its memory."""
    pids: int = 512
    """Limit of its processes."""
    open_files: int = 0
    """Limit of its open files; 0 for the engine's own, which may be a thousand million."""


@dataclass(frozen=True, kw_only=True)
class Network(Generic[E]):
    """Where programs and people reach it."""

    hostname: str = ""
    networks: tuple[str, ...] = (PROJECT,)
    ports: Callable[[E], tuple[Port, ...]] = lambda env: ()
    labels: Callable[[E], Mapping[str, str]] = lambda env: {}
    """The routes that the gateway serves for it."""
    resolver: tuple[str, ...] = ()
    """A command of the image that fails when the name after it does not resolve; empty where it has none."""
    endpoints: Callable[[E], tuple[Endpoint, ...]] = lambda env: ()
    connect: Callable[[E, Where], Mapping[str, str]] = lambda env, where: {}
    """Environment of a program that uses it, by the conventions of its ecosystem."""
    overrides: tuple[str, ...] = ()
    """Variables with which a client of its ecosystem would connect elsewhere, or otherwise, than `connect` says."""
    shells: Callable[[E], tuple[Shell, ...]] = lambda env: ()
    """Interactive clients, the best first."""


@dataclass(frozen=True, kw_only=True)
class Storage(Generic[E]):
    """What it reads and keeps: volumes, configuration, and the data that users put in it."""

    mounts: Callable[[E], tuple[Mount, ...]] = lambda env: ()
    data_version: str = ""
    """A pattern: its group is, in a tag of the image, the version of the data. No other version reads that data."""
    data_stores: Callable[[E], tuple[DataStore, ...]] = lambda env: ()
    """Databases, topics, flags and accounts, with how a client reads them."""
    files: Callable[[Catalogue], Mapping[str, Document]] = lambda catalogue: {}
    """Files of its folder in `config/` that are rendered from all declarations, by their path there."""


@dataclass(frozen=True, kw_only=True)
class Checks(Generic[E]):
    """How to find out whether it serves."""

    healthcheck: Healthcheck | None = None
    """Asked inside the container."""
    probe: Callable[[E], Probe] = lambda env: Runs()
    """Asked from outside, as a client does."""
    stored: Callable[[E], SmokeTest | None] = lambda env: None
    """Passes where the server has the data that it says it has; cheap enough for `health`, and writes nothing."""
    smoke_tests: Callable[[E], tuple[SmokeTest, ...]] = lambda env: ()
    """How it shows that it does its job. Other services are named by their ids."""
    symptoms: tuple[Symptom, ...] = ()
    """What only its log says when it cannot run."""


@dataclass(frozen=True, kw_only=True)
class SetUp(Generic[E]):
    """What happens before anyone can use it."""

    resources: Callable[[E], tuple[Resource, ...]] = lambda env: ()
    """What it has to hold, in the order of creation."""
    migration: str = ""
    """The id of its init container that migrates its tables."""


class Role(StrEnum):
    """What a component is to its service."""

    SERVER = "server"
    """The service itself."""
    INIT = "init"
    """Runs to its end at each `up`; the components after it wait for that."""
    SIDECAR = "sidecar"
    """Runs as long as the server."""


@dataclass(frozen=True, kw_only=True)
class Component(Generic[E]):
    """One container or local process: the server of a service, an init container or a sidecar."""

    id: str
    """Its Compose key."""
    role: Role
    after_server: bool = False
    """Whether it starts after the server (an exporter); otherwise the server waits for it."""
    env: type[E]
    container: Container[E]
    network: Network[E] = Network()
    storage: Storage[E] = Storage()
    checks: Checks[E] = Checks()
    process: Process[E] | None = None
    """None where the server cannot run without a container."""


@dataclass(frozen=True)
class Limit:
    """How much a service takes at most, and what a client sees beyond it."""

    of: str
    most: str
    beyond: str


@dataclass(frozen=True, kw_only=True)
class Service(Component[E]):
    """One of the platform's services, declared once, facet by facet."""

    role: Role = Role.SERVER
    title: str
    layer: Layer
    needs: tuple[Service[Any], ...] = ()
    """The services that must be ready before it starts."""
    components: tuple[Component[Any], ...] = ()
    """Its init containers and sidecars, in start order."""
    left_out: tuple[Component[Any], ...] = ()
    """Components that this engine does not start; their settings stay valid."""
    setup: SetUp[E] = SetUp()
    backup: Callable[[E], Method | None] = lambda env: None
    """How its data is backed up; None where it keeps no data, or keeps it in another service."""
    rotations: tuple[Rotation[E] | Fixed, ...] = ()
    """How each of its own secrets is changed, or why it cannot be."""
    telemetry: Telemetry = field(default_factory=Telemetry)
    limits: tuple[Limit, ...] = ()


def service_id(module: str) -> str:
    """The id of the service that a module declares (`arcctl.services.otel_collector`): `otel-collector`."""
    return module.rpartition(".")[2].replace("_", "-")


@dataclass(frozen=True)
class Catalogue:
    """All services, in the order of their ids."""

    services: Mapping[str, Service[Any]]

    def components(self, ids: tuple[str, ...] | None = None) -> dict[str, Component[Any]]:
        """Every component by its Compose key: of the services asked for (default: all), each server last."""
        services = self.services.values() if ids is None else (self.services[i] for i in ids)
        return {component.id: component for service in services for component in (*service.components, service)}

    def each(self, change: Callable[[Component[Any]], Component[Any]]) -> Catalogue:
        """The catalogue with something changed in every component."""
        changed: Callable[[Any], Any] = change
        services = self.services.items()
        return Catalogue(
            {i: replace(changed(s), components=tuple(changed(c) for c in s.components)) for i, s in services}
        )

    def owners(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The services that these components belong to."""
        wanted = set(keys)
        return tuple(i for i in self.services if wanted & set(self.components((i,))))

    def bind_mounts(self, ids: tuple[str, ...] | None = None) -> frozenset[str]:
        """What the containers of services (default: all) mount of `config/`."""
        return frozenset(mount.source for c in self.components(ids).values() for mount in _bind_mounts(c))

    def config_paths(self, ids: tuple[str, ...] | None = None) -> frozenset[str]:
        """What must exist below `config/`: what containers mount, and the files of it that their commands name.

        A file has a suffix, a folder has none.
        """
        components = self.components(ids).values()
        named = (path for c in components for mount in _bind_mounts(c) for path in _named(mount, c.container.command))
        return self.bind_mounts(ids) | frozenset(named)

    def with_signal(self, signal: Signal) -> Service[Any]:
        """The one service that knows this of a request."""
        return next(s for s in self.services.values() if signal in s.telemetry.signals)

    def log_store(self) -> tuple[Service[Any], LogStore]:
        """The one service that keeps log lines, and how they are read."""
        return next((s, s.telemetry.log_store) for s in self.services.values() if s.telemetry.log_store)

    def layer(self, layer: Layer) -> tuple[str, ...]:
        return tuple(i for i, s in self.services.items() if s.layer is layer)


def _bind_mounts(component: Component[Any]) -> Iterator[BindMount]:
    mounts = component.storage.mounts(symbolic(component.env))
    return (mount for mount in mounts if isinstance(mount, BindMount))


def _named(mount: BindMount, words: Iterable[str]) -> Iterator[str]:
    """The files in a mounted folder that a command names."""
    pattern = re.compile(rf"(?<![\w/]){re.escape(mount.path)}(/[\w/-]+\.\w+)")
    return (f"{mount.source}{path}" for word in words for path in pattern.findall(word))


def container_name(project: str, compose_key: str) -> str:
    """`arc_otel_collector` for `otel-collector`."""
    return f"{project}_{compose_key.replace('-', '_')}"


def network_name(project: str, name: str) -> str:
    """`arc_socket` for `socket`; the common network has the name of the project."""
    return project if name == PROJECT else f"{project}_{name}"


def volume_name(compose_key: str, name: str) -> str:
    """The key of a volume in the Compose file, `big_shop_data` for `data` of `big-shop`."""
    return f"{compose_key}_{name}".replace("-", "_")
