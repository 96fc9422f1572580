"""`up`: decide once, start wave by wave, wait for proof."""

from __future__ import annotations

from dataclasses import dataclass

from arcctl.app import bootstrap, data_versions, inputs, preflight
from arcctl.app import images as held
from arcctl.app.launch import Launch, Outcome
from arcctl.app.world import World, ensure_secrets, refuse_strangers, settings, turn
from arcctl.core import plan as planning
from arcctl.core.bootstrap import Found
from arcctl.core.graph import closure, resolve
from arcctl.core.observed import Observed
from arcctl.errors import UnhealthyError

TIMEOUT = 300.0
"""Seconds until `up` gives up waiting."""


@dataclass(frozen=True, kw_only=True)
class Request:
    words: tuple[str, ...] = ()
    """Services, layers or `all`; nothing means what is usual on the engine."""
    wait: bool = True
    timeout: float = TIMEOUT
    dry_run: bool = False
    locked: bool = False
    """Refuse images that are not the ones in the lock."""


@dataclass(frozen=True)
class Result:
    plan: planning.Plan
    outcome: Outcome | None
    """What became of it; None when nothing was done."""
    left_out: tuple[str, ...]
    """Services that were asked for by a layer's name and cannot run here."""
    found: tuple[Found, ...] = ()
    """What was set up in services that are new."""


@dataclass(frozen=True)
class Prepared:
    plan: planning.Plan
    made_from: dict[str, str]
    """The hash of what each container is made from."""
    left_out: tuple[str, ...]


def prepare(request: Request, world: World) -> Prepared:
    """Secrets in place, the world observed once, everything decided."""
    engine = world.engine
    asked = resolve(request.words or engine.usual, world.catalogue)
    if not request.dry_run:
        ensure_secrets(world, engine.volumes())
    observed = engine.observe()
    refuse_strangers(observed, world)
    if not request.dry_run and engine.recover():
        observed = engine.observe()
    wanted = closure(asked, world.catalogue)
    services = _available(request.words, wanted, observed, world)
    world.note(f"services: {', '.join(services)}")
    data_versions.refuse(services, world, observed)
    if not request.dry_run:
        ensure_secrets(world, engine.volumes())
    held.hold(services, world, strict=request.locked)
    plan, made_from = decide(services, world, observed)
    return Prepared(plan, made_from, tuple(i for i in wanted if i not in services))


def decide(services: tuple[str, ...], world: World, observed: Observed) -> tuple[planning.Plan, dict[str, str]]:
    """What must be done for the containers of these services, and the hash of what each is made from."""
    images = world.engine.images(c.image for c in world.catalogue.containers(services).values())
    made_from = inputs.digests(services, world, settings(world)) if world.home.secrets() else {}
    changed = inputs.changed(made_from, world)
    plan = planning.make(services, world.catalogue, observed, world.engine.hashes(), images, changed)
    return plan, made_from


def _available(words: tuple[str, ...], services: tuple[str, ...], observed: Observed, world: World) -> tuple[str, ...]:
    """Those that can run on this engine; the others are named, each with the command that changes it.

    Raises UnhealthyError for one that was asked for by its name.
    """
    missing = {i: observed.unavailable[i] for i in services if i in observed.unavailable}
    for service_id, why in missing.items():
        if service_id in words:
            raise UnhealthyError(f"{service_id} is not available here: {why.reason}", hint=why.command)
        world.note(f"not available here: {service_id}: {why}")
    return tuple(i for i in services if i not in missing)


def came_up(result: Result) -> bool:
    return result.outcome is None or not (result.outcome.failed or result.outcome.waiting)


async def run(request: Request, world: World) -> Result:
    """Raises PreflightError before anything is started, ArcError where the engine refuses."""
    if request.dry_run:
        prepared = prepare(request, world)
        return Result(prepared.plan, None, prepared.left_out)
    with await turn(world):
        return await launch(request, world)


async def launch(request: Request, world: World) -> Result:
    """For who has the home to himself already."""
    prepared = prepare(request, world)
    plan, loaded = prepared.plan, settings(world)
    preflight.run(plan, world, loaded)
    world.home.remember_engine(world.engine.name)
    data_versions.remember(plan.services, world)
    world.home.remember_started(world.home.started() | set(plan.services))
    world.home.remember_set_up(world.home.set_up() - {step.key for step in plan.changes})
    work = Launch(plan=plan, world=world, settings=loaded, made_from=prepared.made_from)
    outcome = await work.run(wait=request.wait, timeout=request.timeout)
    if plan.missing_images:
        held.hold(plan.services, world, strict=False)
    new = tuple(i for i in outcome.ready if i in world.catalogue.services and i not in world.home.set_up())
    if not new:
        return Result(plan, outcome, prepared.left_out)
    observed = world.engine.observe()
    found = await bootstrap.set_up(new, world, observed, loaded, make=True, since=outcome.seconds)
    return Result(plan, outcome, prepared.left_out, found)
