"""Which ports of the machine the services use, and where two of them use the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from arcctl.model.env import ServiceEnv, symbolic
from arcctl.model.service import Catalogue, Component, Port, Service

HIGHEST = 65535
PRIVILEGED = 1024
"""Ports below are for root."""
FOR_ALL = 8000
"""Added to a port for root, this makes one for everybody."""


@dataclass(frozen=True, kw_only=True)
class HostPort:
    number: int
    service: str
    component: str
    """Key of the component that listens: the service itself or a sidecar."""
    variable: str = field(default="", compare=False)
    """The variable that chooses it; empty for a port that no setting changes."""
    setting: str = ""
    """The setting that chooses it, without the prefix of its service; empty for a port that no setting changes."""
    exported: str = ""
    """The variable of the process environment that has the number; empty where a file or the declaration has it."""

    def __str__(self) -> str:
        return f"{self.component} ({self.setting or 'not to be changed'})"

    def change_to(self, number: int) -> str:
        """The commands that give its component another port: no file is stronger than the environment."""
        unset = f"unset {self.exported}, then " if self.exported else ""
        return f"{unset}arcctl config set {self.service} {self.setting} {number}"


@dataclass(frozen=True)
class PortOwner:
    """Who listens on a port."""

    name: str
    """The program or the container, as precisely as the system tells."""
    project: str = ""
    """The directory of the arcctl project that it belongs to; empty where that is not known."""
    project_name: str = ""
    """Its name, where that is known."""

    def __str__(self) -> str:
        shown = f"{self.project_name} ({self.project})" if self.project_name else self.project
        return f"{self.name} of the project {shown}" if shown else self.name

    @property
    def stop(self) -> str:
        """What gives the port free; it destroys nothing."""
        if self.project_name:
            return f"arcctl -p {self.project_name} down"
        return f"arcctl --project-directory {shlex.quote(self.project)} down" if self.project else f"stop {self.name}"


@dataclass(frozen=True)
class Collision:
    """Two components that cannot run at the same time."""

    first: HostPort
    second: HostPort

    def __str__(self) -> str:
        return f"port {self.first.number} is used twice: by {self.first} and by {self.second}"

    def hint(self, free: Callable[[int], int]) -> str:
        """The command that gives one of them another port; `free` finds one near a number."""
        moved = self.second if self.second.setting else self.first
        if not moved.setting:
            return f"use only one of {self.first.service} and {self.second.service}"
        return moved.change_to(free(moved.number))


def host_ports(
    catalogue: Catalogue, envs: Mapping[str, ServiceEnv], *, local: bool, exported: Container[str] = ()
) -> tuple[HostPort, ...]:
    """Of every component; `exported` are the variables of the process environment.

    Processes on this machine (`local`) use ports there that containers have for themselves.
    """
    return tuple(
        port
        for service in catalogue.services.values()
        for component in (service, *service.components)
        for port in _ports(service, component, envs[service.id], exported, local=local)
    )


def port_settings(catalogue: Catalogue, *, local: bool) -> frozenset[str]:
    """The variables that choose ports of this machine."""
    envs = {i: symbolic(service.env) for i, service in catalogue.services.items()}
    return frozenset(port.variable for port in host_ports(catalogue, envs, local=local) if port.variable)


def _ports(
    service: Service[Any], component: Component[Any], env: ServiceEnv, exported: Container[str], *, local: bool
) -> Iterator[HostPort]:
    used, named_ports = (_used(component, e, local=local) for e in (env, symbolic(component.env)))
    for port, named in zip(used, named_ports, strict=True):
        variable = _variable(str(named.host))
        yield HostPort(
            number=port.host,
            service=service.id,
            component=component.id,
            variable=variable,
            setting=variable.removeprefix(service.env.env_prefix),
            exported=variable if variable in exported else "",
        )


def _used(component: Component[Any], env: ServiceEnv, *, local: bool) -> tuple[Port, ...]:
    """Where a component listens on this machine; without `local`, where its container is published."""
    inner = component.process.ports(env) if component.process and local else ()
    return (*component.network.ports(env), *inner)


def _variable(reference: str) -> str:
    """`REDIS_HOST_PORT` for `${REDIS_HOST_PORT:-6379}`; empty for a number."""
    found = re.fullmatch(r"\$\{(\w+)(:-.*)?\}", reference)
    return found[1] if found else ""


def route_names(catalogue: Catalogue, envs: Mapping[str, ServiceEnv]) -> tuple[str, ...]:
    """The names under which the gateway serves pages."""
    labels = (
        value
        for service in catalogue.services.values()
        for component in (service, *service.components)
        for value in component.network.labels(envs[service.id]).values()
    )
    return tuple(name for value in labels for name in re.findall(r"Host\(`([^`]+)`\)", value))


def gateway_port(catalogue: Catalogue, envs: Mapping[str, ServiceEnv]) -> int:
    """Where the gateway serves them without encryption; 0 where there is no gateway."""
    ports = (port for i, service in catalogue.services.items() for port in service.network.ports(envs[i]))
    return next((port.host for port in ports if port.gateway), 0)


def collisions(ports: Iterable[HostPort]) -> tuple[Collision, ...]:
    """Each port that is used again, with the one that had it first."""
    first: dict[int, HostPort] = {}
    return tuple(
        Collision(first[port.number], port) for port in ports if first.setdefault(port.number, port) is not port
    )


def free_port(near: int, used: Container[int], taken: Callable[[int], bool]) -> int:
    """The next higher port that no component uses and nobody has; for one that is for root only, 8080 for 80."""
    first = near + (1 if near >= PRIVILEGED else FOR_ALL)
    wanted: Iterable[int] = chain(range(first, HIGHEST + 1), range(PRIVILEGED, first))
    return next(number for number in wanted if number not in used and not taken(number))
