"""`env` and `run`: the variables with which a program reaches the services, without asking the engine."""

from __future__ import annotations

from arcctl.model.connection import Side, Where
from arcctl.model.env import NOT_ISSUED, ServiceEnv
from arcctl.model.graph import resolve
from arcctl.model.names import LOOPBACK
from arcctl.model.service import Service
from arcctl.project import Project


def variables(words: tuple[str, ...], side: Side, project: Project) -> dict[str, str]:
    """The variables of the services named (default: all), for a program on the host or in a container.

    Values that a server has not issued yet are left out.
    """
    found: dict[str, str] = {}
    for service_id in resolve(words or ("all",), project.catalogue):
        service, env = project.catalogue.services[service_id], project.settings.envs[service_id]
        found |= service.network.connect(env, where(service, env, side))
    return {name: value for name, value in found.items() if value != NOT_ISSUED}


def where(service: Service[ServiceEnv], env: ServiceEnv, side: Side) -> Where:
    """The address of a service: its published ports on the host, its Compose name in a container."""
    if side is Side.CONTAINER:
        return Where(side=side, host=service.id)
    return Where(side=side, host=LOOPBACK, ports={p.container: p.host for p in service.network.ports(env)})
