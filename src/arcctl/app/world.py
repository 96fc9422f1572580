"""What a use-case is handed: the catalogue and the seams to the world, and the two questions all of them ask."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TextIO

from arcctl.core.backup_ports import Copier, Shelf
from arcctl.core.events import Event, Kind, Sink
from arcctl.core.model import Catalogue
from arcctl.core.observed import Observed
from arcctl.core.ports import Contents, Engine, Home, Images, Ports, Prober, Prover, Target
from arcctl.core.probe import Runs
from arcctl.core.settings import ENVIRONMENT, Settings, Source, missing_secrets, resolve
from arcctl.errors import PreflightError, SecretsLost, UnhealthyError

PAUSE = 0.2
"""Seconds between two tries to get the home to oneself."""


@dataclass(frozen=True, kw_only=True)
class World:
    catalogue: Catalogue
    environment: Mapping[str, str]
    home: Home
    engine: Engine
    prober: Prober
    prover: Prover
    contents: Contents
    ports: Ports
    copier: Copier
    shelf: Shelf
    sink: Sink
    images: Images | None = None
    """None on an engine that runs no images."""
    insecure_demo: bool = False
    telemetry: bool = False
    """Whether commands send a trace of themselves."""

    def note(self, message: str) -> None:
        self.sink(Event(Kind.NOTE, "", message))


async def turn(world: World) -> TextIO:
    """The home to oneself: of two commands that change it at the same time the second finds the work of the first."""
    lock = world.home.claim()
    if lock is None:
        world.note("another arcctl works on this home: waiting for it to end")
    while lock is None:
        await asyncio.sleep(PAUSE)
        lock = world.home.claim()
    return lock


def sources(world: World) -> tuple[Source, ...]:
    """The places that values come from, the strongest first: process environment, files of the home, the engine."""
    files = world.home.sources(world.catalogue.services)
    engine = Source(f"default of the {world.engine.name} engine", world.engine.defaults)
    return (Source(ENVIRONMENT, world.environment), *files, engine)


def settings(world: World, over: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """The settings as they are now; `over` comes before all."""
    return resolve(world.catalogue, (Source("", over), *sources(world)), insecure_demo=world.insecure_demo)


def ensure_secrets(world: World, volumes: tuple[str, ...]) -> tuple[str, ...]:
    """Generate the secrets that are missing and write what Compose interpolates; returns the new names.

    Raises SecretsLost rather than locking anybody out of data that exists.
    """
    present = {name for s in world.home.sources(world.catalogue.services) for name in s.values}
    present |= set(world.environment)
    missing = missing_secrets(world.catalogue, dict.fromkeys(present))
    if missing and volumes and not world.home.secrets():
        raise SecretsLost(
            f"this home has no secrets, and the engine holds data of a platform: {', '.join(volumes)}",
            hint="go to the home that has them, restore .arcctl/secrets.env, or destroy the data with `arcctl clean`",
        )
    world.home.add_secrets(missing)
    world.home.write_compose_env(settings(world).mapping())
    return tuple(missing)


def targets(world: World, observed: Observed, loaded: Settings, services: tuple[str, ...]) -> dict[str, Target]:
    """Where to probe: the published port of each service that runs. A service without one is judged from inside."""
    found: dict[str, Target] = {}
    for service_id in services:
        probe = world.catalogue.services[service_id].probe(loaded.envs[service_id])
        now = observed.of(service_id)
        port = now.ports.get(probe.port, 0 if isinstance(probe, Runs) else None)
        if now.running and port is not None:
            found[service_id] = Target(probe, port)
    return found


def refuse_strangers(observed: Observed, world: World) -> None:
    """Raises PreflightError where the names of these containers are held by the platform of another home."""
    homes = {now.home for now in observed.containers.values() if now.home} - {str(world.home.root)}
    if homes:
        other = min(homes)
        raise PreflightError(
            f"this engine runs the platform of {other}, and holds one at a time",
            hint=f"arcctl --home {shlex.quote(other)} down",
        )


def must_run(service: str, observed: Observed) -> None:
    """Raises UnhealthyError with the command that starts it."""
    if service in observed.unavailable:
        why = observed.unavailable[service]
        raise UnhealthyError(f"{service} is not available here: {why.reason}", hint=why.command)
    if not observed.of(service).running:
        raise UnhealthyError(f"{service} is {observed.of(service).state}", hint=f"arcctl up {service}")
