"""`info`: how to reach everything. Asks nobody: the declarations and the settings know."""

from __future__ import annotations

from dataclasses import dataclass

from arcctl.app.world import World, settings
from arcctl.core.graph import resolve
from arcctl.core.model import Link


@dataclass(frozen=True)
class Entry:
    service: str
    title: str
    layer: str
    image: str
    links: tuple[Link, ...]


def run(words: tuple[str, ...], world: World) -> tuple[Entry, ...]:
    loaded = settings(world)
    chosen = resolve(words or ("all",), world.catalogue)
    services = [world.catalogue.services[i] for i in chosen]
    return tuple(Entry(s.id, s.title, s.layer.value, s.image, s.links(loaded.envs[s.id])) for s in services)
