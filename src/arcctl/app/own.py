"""`service`: what a user's own service gets when it comes, and what goes with it when it leaves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from arcctl.app.bootstrap import TIMEOUT
from arcctl.app.world import World, settings, turn
from arcctl.core.compose import PROJECT
from arcctl.core.env import variables
from arcctl.core.local import local_ports, volume_name
from arcctl.core.model import Catalogue, Layer, Service, Volume
from arcctl.core.names import own_file
from arcctl.core.proof import proofs_at
from arcctl.errors import UnhealthyError, UnknownService, UsageError

FIRST_PORT = 8100


def free_ports(world: World, count: int) -> tuple[int, ...]:
    """Ports of the host that neither the platform wants, running or not, nor anybody has now."""
    loaded = settings(world)
    wanted = {
        port
        for service_id in world.catalogue.services
        for container in world.catalogue.containers((service_id,)).values()
        for port in local_ports(container, loaded.envs[service_id]).values()
    }
    free = (port for port in range(FIRST_PORT, 65536) if port not in wanted and not world.ports.taken(port))
    return tuple(itertools.islice(free, count))


def own(name: str, catalogue: Catalogue) -> Service[Any]:
    """A user's own service.

    Raises UnknownService for a name that nobody has, and UsageError for one of the platform's.
    """
    if name not in catalogue.services:
        known = ", ".join(catalogue.layer(Layer.OWN)) or "none"
        raise UnknownService(f"no service of your own is called {name!r}", hint=f"your own: {known}")
    if catalogue.services[name].layer is not Layer.OWN:
        raise UsageError(f"{name} belongs to the platform and cannot be removed", hint=f"arcctl down {name}")
    return catalogue.services[name]


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What goes, in the words of the engine and of the servers that hold it."""

    name: str
    containers: tuple[str, ...]
    files: tuple[PurePosixPath, ...]
    volumes: tuple[str, ...]
    """Data of its own."""
    held: tuple[str, ...]
    """Data that other services hold for it."""
    secrets: tuple[str, ...]
    kept: tuple[PurePosixPath, ...]
    """Its code, which is never removed."""

    @property
    def data(self) -> tuple[str, ...]:
        return (*(f"volume {name}" for name in self.volumes), *self.held, *(f"secret {name}" for name in self.secrets))


def look(name: str, world: World, *, data: bool) -> Removal:
    """What removing a service would take away.

    Raises UsageError where another service needs it, and UnhealthyError where one that holds its data does not run.
    """
    service, loaded = own(name, world.catalogue), settings(world)
    behind = [i for i, s in world.catalogue.services.items() if any(need.id == name for need in s.needs)]
    if behind:
        raise UsageError(f"{', '.join(behind)} needs {name}", hint=f"arcctl service remove {behind[0]}")
    observed, volumes = world.engine.observe(), world.engine.volumes()
    env = loaded.envs[name]
    named = {volume_name(name, m.name) for m in service.mounts(env) if isinstance(m, Volume)}
    held = [r for r in service.resources(env) if r.destroy]
    at = {i for r in held for proof in r.destroy for i in proofs_at(proof, name)} - {name}
    away = [i for i in sorted(at) if not observed.of(i).running]
    if data and away and volumes:
        raise UnhealthyError(f"{away[0]} holds data of {name} and does not run", hint=f"arcctl up {away[0]}")
    return Removal(
        name=name,
        containers=tuple(k for k in world.catalogue.containers((name,)) if k in observed.containers),
        files=(PurePosixPath(own_file(name)),),
        volumes=tuple(v for v in volumes if v.removeprefix(f"{PROJECT}_") in named),
        held=() if away else tuple(r.name for r in held),
        secrets=tuple(v.name for v in variables(service.env) if v.generate and v.name in world.home.secrets()),
        kept=(PurePosixPath(service.build),) if service.build else (),
    )


async def remove(removal: Removal, world: World, *, data: bool) -> None:
    """Stop it and take its containers away; with `data` everything that it wrote, too.

    Raises UnhealthyError where a server does not let go of what it holds; nothing of the home is lost then.
    """
    name, loaded, observed = removal.name, settings(world), world.engine.observe()
    service = world.catalogue.services[name]
    with await turn(world):
        world.engine.stop(removal.containers)
        if data and removal.held:
            steps = [proof for r in reversed(service.resources(loaded.envs[name])) for proof in r.destroy]
            problem, _ = await world.prover.attempt(name, tuple(steps), observed.published, {}, TIMEOUT)
            if problem:
                raise UnhealthyError(f"the data of {name} could not be destroyed: {problem}", hint="arcctl health all")
        world.engine.remove(removal.containers, removal.volumes if data else ())
        world.home.remember_started(world.home.started() - {name})
        world.home.remember_set_up(world.home.set_up() - {name})
        if data:
            world.home.forget_secrets(removal.secrets)
