"""Data that only one version of a server reads: another one is refused before it starts."""

from __future__ import annotations

from arcctl.app.world import World
from arcctl.core.observed import Observed
from arcctl.core.upgrade import refuse_other_data

NOTE = "data-made-by"


def refuse(services: tuple[str, ...], world: World, observed: Observed) -> None:
    """Raises UpgradeError where a server is about to run that cannot read what is there."""
    made = world.home.note(NOTE) if world.engine.volumes() else {}
    for key, container in world.catalogue.containers(services).items():
        refuse_other_data(key, container, observed.of(key).image or made.get(key, ""))


def remember(services: tuple[str, ...], world: World) -> None:
    """Which images wrote the data, for when their containers are gone."""
    known = world.home.note(NOTE)
    writes = {k: c.image for k, c in world.catalogue.containers(services).items() if c.data_version}
    if {**known, **writes} != known:
        world.home.keep_note(NOTE, {**known, **writes})


def forget(world: World) -> None:
    if world.home.note(NOTE):
        world.home.keep_note(NOTE, {})
