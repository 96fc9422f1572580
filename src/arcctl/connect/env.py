"""`env` and `run`: the variables with which a program reaches the services, without asking the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arcctl.engines.base import Unavailable
from arcctl.model.connection import Side, Where
from arcctl.model.env import NOT_ISSUED, ServiceEnv
from arcctl.model.graph import resolve
from arcctl.model.names import LOOPBACK, NO_PROXY, PROXIES
from arcctl.model.service import Service
from arcctl.project import Project


@dataclass(frozen=True)
class Variables:
    values: Mapping[str, str]
    left_out: Mapping[str, Unavailable]
    """The services that have variables and cannot run on this engine."""
    overrides: tuple[str, ...] = ()
    """Variables that would win over these."""
    host: str = LOOPBACK
    """Where the services are reached."""


def variables(words: tuple[str, ...], side: Side, project: Project) -> Variables:
    """The variables of the services named (default: all), for a program on the host or in a container.

    Those of services that cannot run on this engine are left out, and values that a server has not issued yet.
    """
    found = {i: _variables(i, side, project) for i in resolve(words or ("all",), project.catalogue)}
    missing = project.engine.unavailable
    there = {i: values for i, values in found.items() if i not in missing}
    return Variables(
        {name: value for values in there.values() for name, value in values.items()},
        {i: missing[i] for i, values in found.items() if i in missing and values},
        tuple(name for i in there for name in project.catalogue.services[i].network.overrides),
        project.engine.host,
    )


def environment(inherited: Mapping[str, str], found: Variables) -> tuple[dict[str, str], tuple[str, ...]]:
    """The environment of a program that uses the services, and the names of what it does not inherit."""
    removed = tuple(name for name in found.overrides if name in inherited)
    kept = {name: value for name, value in inherited.items() if name not in removed}
    return {**kept, **_past_proxies(kept, found.host), **found.values}, removed


def _past_proxies(inherited: Mapping[str, str], host: str) -> dict[str, str]:
    """What keeps a proxy out of the way to the services, where one is set."""
    given = {name.lower(): value for name, value in inherited.items() if value}
    exceptions = [part.strip() for part in given.get(NO_PROXY, "").split(",") if part.strip()]
    if not any(name in given for name in PROXIES) or "*" in exceptions or host in exceptions:
        return {}
    return dict.fromkeys((NO_PROXY, NO_PROXY.upper()), ",".join((*exceptions, host)))


def _variables(service_id: str, side: Side, project: Project) -> dict[str, str]:
    service, env = project.catalogue.services[service_id], project.settings.envs[service_id]
    found = service.network.connect(env, where(service, env, side, project.engine.host))
    return {name: value for name, value in found.items() if value != NOT_ISSUED}


def where(service: Service[ServiceEnv], env: ServiceEnv, side: Side, host: str = LOOPBACK) -> Where:
    """The address of a service: its published ports on the host, its Compose name in a container."""
    if side is Side.CONTAINER:
        return Where(side=side, host=service.id)
    return Where(side=side, host=host, ports={p.container: p.host for p in service.network.ports(env)})
