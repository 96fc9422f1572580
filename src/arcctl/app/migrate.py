"""`db migrate`: the one-shots that bring the tables of services to what their servers expect."""

from __future__ import annotations

from arcctl.app.inside import one_with
from arcctl.app.launch import Launch
from arcctl.app.up import Result
from arcctl.app.world import World, ensure_secrets, must_run, settings, turn
from arcctl.core.contents import Databases
from arcctl.core.graph import dependencies, resolve
from arcctl.core.plan import Action, Plan, Step
from arcctl.errors import UsageError

TIMEOUT = 300.0
"""Seconds that all of them may take."""


def _chosen(words: tuple[str, ...], world: World) -> dict[str, str]:
    """The one-shot that migrates, by its service. Raises UsageError for a service that has none."""
    services = world.catalogue.services
    known = {i: helper.id for i, service in services.items() for helper in service.helpers if helper.migrates}
    asked = resolve(words or ("all",), world.catalogue)
    for service in asked:
        if service in words and service not in known:
            raise UsageError(
                f"{service} has no migration to run: it migrates by itself, or has nothing to migrate",
                hint=f"with one: {', '.join(known)}",
            )
    return {i: known[i] for i in asked if i in known}


async def run(words: tuple[str, ...], world: World) -> Result:
    """Run the migrations of these services, or all, each behind the one-shots that it waits for.

    Raises UnhealthyError where a database is not up.
    """
    chosen = _chosen(words, world)
    with await turn(world):
        inside = await one_with(Databases, world)
        for service in chosen:
            if service in inside.observed.unavailable:
                must_run(service, inside.observed)
        ensure_secrets(world, world.engine.volumes())
        plan = _plan(chosen, world)
        launch = Launch(plan=plan, world=world, settings=settings(world), made_from={})
        return Result(plan, await launch.run(wait=True, timeout=TIMEOUT), ())


def _plan(chosen: dict[str, str], world: World) -> Plan:
    """The migrations and the one-shots before them, all made anew."""
    needs = dependencies(world.catalogue)
    helpers = {h.id for i in chosen for h in world.catalogue.services[i].helpers}
    keys = [k for key in chosen.values() for k in (*sorted(needs[key] & helpers), key)]
    images = world.engine.images(world.catalogue.containers()[key].image for key in keys)
    missing = frozenset(world.catalogue.containers()[key].image for key in keys) - set(images)
    steps = tuple(Step(key, Action.RECREATE, "migrates" if key in chosen.values() else "comes before") for key in keys)
    return Plan(tuple(chosen), steps, {key: needs[key] & set(keys) for key in keys}, missing)
