"""`env` and `run`: what a program needs to know of the services, as variables. Asks nobody, as `info` does."""

from __future__ import annotations

from collections.abc import Mapping

from arcctl.app.world import World, settings
from arcctl.core.connect import Side, Where
from arcctl.core.env import UNTOLD, ServiceEnv
from arcctl.core.graph import resolve
from arcctl.core.local import LOOPBACK
from arcctl.core.model import Service


def variables(words: tuple[str, ...], side: Side, world: World) -> dict[str, str]:
    """The variables of the services named (default: of all), for a program on the host or in a container.

    What a server has not told yet is left out.
    """
    loaded = settings(world)
    found: dict[str, str] = {}
    for service_id in resolve(words or ("all",), world.catalogue):
        service, env = world.catalogue.services[service_id], loaded.envs[service_id]
        found |= _known(service.connect(env, where(service, env, side)))
    return found


def where(service: Service[ServiceEnv], env: ServiceEnv, side: Side) -> Where:
    """Where a service is: on the loopback address, or by its Compose name."""
    if side is Side.CONTAINER:
        return Where(side=side, host=service.id)
    return Where(side=side, host=LOOPBACK, ports={p.container: p.host for p in service.ports(env)})


def _known(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value != UNTOLD}
