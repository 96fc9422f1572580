"""`secrets rotate`: a new secret for the server and for everybody who uses it, in an order that locks nobody out.

Each step may be run again from any state, so an interrupted rotation is finished by running it once more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from arcctl.app.rotating import Rotating, there, way_of
from arcctl.app.secrets import fixed
from arcctl.app.world import World, settings, turn
from arcctl.core.events import Event, Kind
from arcctl.core.observed import Observed
from arcctl.core.rotation import Secret, Step, chosen, plan, secrets
from arcctl.core.secret import Change
from arcctl.core.settings import Settings
from arcctl.errors import RotationRefused, UsageError


@dataclass(frozen=True)
class Refusal:
    name: str
    reason: str
    hint: str


@dataclass(frozen=True)
class Prepared:
    """What would be done: one list of steps for each secret."""

    steps: dict[str, tuple[Step, ...]]
    warnings: dict[str, str]
    left_out: tuple[Refusal, ...]
    unfinished: tuple[str, ...]
    """What an interrupted rotation left; it is finished first."""


@dataclass(frozen=True)
class Result:
    rotated: tuple[str, ...]
    broken: dict[str, str]
    """Services that do not do their job afterwards, with the reason."""
    seconds: float


def prepare(words: tuple[str, ...], world: World) -> Prepared:
    """Decide what to change.

    Raises UsageError for a secret that was asked for by its name and cannot be changed.
    """
    unfinished = tuple(c.name for c in world.home.rotation())
    every, loaded = secrets(world.catalogue), settings(world)
    observed = world.engine.observe()
    names = [name for name in chosen(words, world.catalogue) if name not in unfinished]
    refusals = [Refusal(name, *_against(every[name], loaded, observed, world)) for name in names]
    refused = {r.name: r for r in refusals if r.reason}
    for word in words:
        if word in refused:
            raise UsageError(f"{word} is not rotated: {refused[word].reason}", hint=refused[word].hint)
    steps = {name: plan(every[name], world.catalogue, there(observed)) for name in names if name not in refused}
    warnings = {name: way_of(every[name]).warning for name in steps if way_of(every[name]).warning}
    return Prepared(steps, warnings, tuple(refused.values()), unfinished)


def _against(secret: Secret, loaded: Settings, observed: Observed, world: World) -> tuple[str, str]:
    reason, hint = fixed(secret, loaded.values[secret.name], world)
    asleep = [i for i in dict.fromkeys((*secret.servers, secret.owner)) if not observed.of(i).running]
    if asleep and not reason:
        return f"{asleep[0]} does not run", f"arcctl up {asleep[0]}"
    return reason, hint


async def run(words: tuple[str, ...], world: World) -> Result:
    """Finish what was interrupted, then change what was asked for.

    Raises ArcError at the first secret that a server does not take or a container that does not come back.
    """
    began = time.monotonic()
    with await turn(world):
        done = await _all(world.home.rotation(), world, began)
        wanted = prepare(tuple(w for w in words if w not in done), world)
        changes = await _drawn(tuple(n for n in wanted.steps if n not in done), words, world, began)
        done |= await _all(changes, world, began)
    broken = {service: why for found in done.values() for service, why in found.items()}
    return Result(tuple(done), broken, time.monotonic() - began)


async def _drawn(names: tuple[str, ...], words: tuple[str, ...], world: World, began: float) -> tuple[Change, ...]:
    """A new value for each; one whose server does not take the value of now is left out, or refused if it was named."""
    every, current, changes = secrets(world.catalogue), settings(world).values, list[Change]()
    for name in names:
        new = "" if way_of(every[name]).issues else world.home.draw(every[name].variable)
        change = Change(name=name, old=current[name].text or "", new=new)
        problem = await Rotating(every[name], change, world, began).check()
        hint = f"arcctl bootstrap {every[name].owner}"
        if problem and name in words:
            raise RotationRefused(f"{name} is not rotated: {problem}", hint=hint)
        if problem:
            world.sink(Event(Kind.WARNING, name, f"is not rotated: {problem} ({hint})", time.monotonic() - began))
        else:
            changes.append(change)
    return tuple(changes)


async def _all(changes: tuple[Change, ...], world: World, began: float) -> dict[str, dict[str, str]]:
    """One secret after the other; the journal has all of them until the last is done.

    Raises RotationRefused in the end for one that its server does not take: nothing was changed for that one.
    """
    journal = {change.name: change for change in changes}

    def keep(change: Change) -> None:
        journal[change.name] = change
        world.home.remember_rotation(journal.values())

    world.home.remember_rotation(changes)
    every, found = secrets(world.catalogue), {name: dict[str, str]() for name in journal}
    refused: list[RotationRefused] = []
    for change in changes:
        work = Rotating(every[change.name], change, world, began, keep)
        try:
            found[change.name] = {} if change.done else await work.run()
            keep(replace(work.change, done=True))
        except RotationRefused as error:
            del found[change.name], journal[change.name]
            refused.append(error)
    world.home.remember_rotation(())
    if refused:
        raise refused[0]
    return found
