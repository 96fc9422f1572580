"""`top`: what everything that runs takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arcctl.app.world import World, must_run
from arcctl.core.graph import resolve


@dataclass(frozen=True, kw_only=True)
class Row:
    """One container or process. Sizes are in bytes."""

    name: str
    service: str
    """The service that it is, or that it helps."""
    memory: int
    limit: int
    """What it may take; 0 where nothing limits it."""
    cpu: float
    """Percent of one core."""
    disk: int | None
    """None where it keeps none, or nobody could tell."""


def look(words: tuple[str, ...], world: World, disk: Mapping[str, int] | None = None) -> tuple[Row, ...]:
    """What runs of the services named (default: of all), the largest first.

    `disk` is what an earlier look found, because adding it up takes long. Raises UnhealthyError for a service that
    was named and does not run.
    """
    asked = resolve(words or ("all",), world.catalogue)
    observed = world.engine.observe()
    for word in words:
        if word in world.catalogue.services:
            must_run(word, observed)
    owners = {key: i for i in asked for key in world.catalogue.containers((i,)) if observed.of(key).running}
    found = world.engine.disk() if disk is None else disk
    rows = (
        Row(name=key, service=owners[key], memory=u.memory, limit=u.limit, cpu=u.cpu, disk=found.get(key))
        for key, u in world.engine.usage(tuple(owners)).items()
    )
    return tuple(sorted(rows, key=lambda row: -row.memory))


def sizes(rows: tuple[Row, ...]) -> dict[str, int]:
    """What a look found on disk."""
    return {row.name: row.disk for row in rows if row.disk is not None}
