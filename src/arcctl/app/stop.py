"""`down`, `restart` and `clean`: stopping keeps data; destroying is a verb of its own."""

from __future__ import annotations

from arcctl.app import data_versions
from arcctl.app.world import World, refuse_strangers
from arcctl.core.graph import resolve
from arcctl.core.model import Catalogue


def down(words: tuple[str, ...], world: World) -> tuple[str, ...]:
    """Stop the services named, or remove all containers and networks. Every volume stays. Returns what ran."""
    observed = world.engine.observe()
    refuse_strangers(observed, world)
    if not words:
        world.engine.down()
        _forget(world)
        return tuple(sorted(observed.containers))
    named = resolve(words, world.catalogue)
    keys = [k for k in world.catalogue.containers(named) if k in observed.containers]
    if keys:
        world.engine.stop(keys)
    world.home.remember_started(world.home.started() - set(named))
    return tuple(keys)


def restart(words: tuple[str, ...], world: World) -> tuple[str, ...]:
    """Restart what runs of the services named (default: of all). Returns what was restarted."""
    observed = world.engine.observe()
    refuse_strangers(observed, world)
    keys = tuple(i for i in chosen(words, world.catalogue) if i in observed.containers)
    if keys:
        world.engine.restart(keys)
    return keys


def destroyable(world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The containers and the data volumes that `clean` takes. Raises PreflightError where another home made them."""
    observed = world.engine.observe()
    refuse_strangers(observed, world)
    return tuple(sorted(observed.containers)), world.engine.volumes()


def clean(world: World) -> None:
    """Containers, networks and data go; settings and secrets of the home stay."""
    world.engine.down(volumes=True)
    world.home.remember_set_up(())
    data_versions.forget(world)
    _forget(world)


def _forget(world: World) -> None:
    """Nothing runs any more, so another engine may be chosen."""
    world.home.remember_started(())
    world.home.remember_engine("")


def chosen(words: tuple[str, ...], catalogue: Catalogue) -> tuple[str, ...]:
    """The services that words name; none means all."""
    return resolve(words or ("all",), catalogue)


def log_keys(words: tuple[str, ...], catalogue: Catalogue) -> tuple[str, ...]:
    """Containers whose logs are asked for: services by word, helpers by their own name."""
    helpers = {h.id for s in catalogue.services.values() for h in s.helpers}
    named = tuple(w for w in words if w in helpers)
    services = resolve([w for w in words if w not in helpers], catalogue)
    return (*named, *services)
