"""`env` and `run`: the variables with which a program reaches the services, without asking the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arcctl.engines.base import Unavailable
from arcctl.model.connection import Side, Where
from arcctl.model.env import NOT_ISSUED, ServiceEnv
from arcctl.model.graph import resolve
from arcctl.model.names import LOOPBACK
from arcctl.model.service import Service
from arcctl.project import Project


@dataclass(frozen=True)
class Variables:
    values: Mapping[str, str]
    left_out: Mapping[str, Unavailable]
    """The services that have variables and cannot run on this engine."""


def variables(words: tuple[str, ...], side: Side, project: Project) -> Variables:
    """The variables of the services named (default: all), for a program on the host or in a container.

    Those of services that cannot run on this engine are left out, and values that a server has not issued yet.
    """
    found = {i: _variables(i, side, project) for i in resolve(words or ("all",), project.catalogue)}
    missing = project.engine.unavailable
    return Variables(
        {name: value for i, values in found.items() if i not in missing for name, value in values.items()},
        {i: missing[i] for i, values in found.items() if i in missing and values},
    )


def _variables(service_id: str, side: Side, project: Project) -> dict[str, str]:
    service, env = project.catalogue.services[service_id], project.settings.envs[service_id]
    found = service.network.connect(env, where(service, env, side))
    return {name: value for name, value in found.items() if value != NOT_ISSUED}


def where(service: Service[ServiceEnv], env: ServiceEnv, side: Side) -> Where:
    """The address of a service: its published ports on the host, its Compose name in a container."""
    if side is Side.CONTAINER:
        return Where(side=side, host=service.id)
    return Where(side=side, host=LOOPBACK, ports={p.container: p.host for p in service.network.ports(env)})
