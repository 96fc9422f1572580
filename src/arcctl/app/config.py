"""`config`: a setting changed with everything checked before a byte is written, and what is not as it comes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from arcctl.app import up
from arcctl.app.world import World, settings, sources, turn
from arcctl.core.env import Variable
from arcctl.core.graph import resolve
from arcctl.core.images import prefix
from arcctl.core.plan import Action, Step
from arcctl.core.settings import ENVIRONMENT, Source, Value, check, lookup, owned
from arcctl.errors import ArcError, SettingsError, UsageError


@dataclass(frozen=True)
class Change:
    """One setting before and after."""

    before: Value
    after: Value
    value: str | None
    """What the service's file will say; None where the line goes."""

    @property
    def name(self) -> str:
        return self.after.variable.name

    @property
    def warnings(self) -> Iterator[str]:
        if self.after.origin == ENVIRONMENT:
            yield f"the process environment sets {self.name} too, and it is the stronger one"
        if self.after.variable.secret:
            yield f"a server that keeps passwords in its data keeps the old one: arcctl secrets rotate {self.name}"


def keys(service: str, world: World) -> dict[str, Variable]:
    """The settings that a person may change for a service."""
    return {n: v for n, (owner, v) in owned(world.catalogue).items() if owner == service and not v.told}


def find(service: str, key: str, world: World) -> Variable:
    """The setting that is meant, written with or without the service's prefix and in any case.

    Raises UsageError with the nearest name, UnknownService for a word that is no service.
    """
    if resolve((service,), world.catalogue) != (service,):
        raise UsageError(f"{service} is more than one service", hint="name one of them")
    known = keys(service, world)
    name = key.upper().replace("-", "_")
    start = prefix(world.catalogue.services[service])
    for candidate in (name, start + name):
        if candidate in known:
            return known[candidate]
    owner, _ = owned(world.catalogue).get(name, ("", None))
    if owner and owner != service:
        raise UsageError(f"{name} belongs to {owner}", hint=f"arcctl config set {owner} {name}")
    near = difflib.get_close_matches(name if name.startswith(start) else start + name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"settings: {', '.join(known)}"
    raise UsageError(f"{service} has no setting {name}", hint=hint)


def propose(service: str, variable: Variable, value: str | None, world: World) -> Change:
    """What the setting would become; None takes it out of the service's file.

    Raises SettingsError where the value does not fit.
    """
    if value is not None:
        check(world.catalogue, service, variable.name, value, insecure_demo=world.insecure_demo)
    before = sources(world)
    mine = next((s for s in before if s.owner == service), Source(f"config/{service}/.env", {}, service))
    values = {n: v for n, v in mine.values.items() if n != variable.name}
    changed = replace(mine, values=values if value is None else {**values, variable.name: value})
    first, *others = (s for s in before if s.owner != service)
    after = (first, changed, *others)
    known, name = world.catalogue, variable.name
    return Change(lookup(known, name, before), lookup(known, name, after), value)


async def write(change: Change, world: World) -> None:
    """Into the service's file, and into what Compose interpolates."""
    with await turn(world):
        world.home.set_value(change.after.service, change.name, change.value)
        if world.home.secrets():
            _refresh(world)


def _refresh(world: World) -> None:
    """Where another setting does not fit, the next command says so; this one did its work."""
    try:
        world.home.write_compose_env(settings(world).mapping())
    except SettingsError as error:
        world.note(f"another setting does not fit: {error.message}")


def made_anew(world: World) -> tuple[Step, ...] | None:
    """The containers that `up` would make anew of what was started; None where that cannot be known now."""
    started = tuple(sorted(world.home.started()))
    if not started:
        return ()
    try:
        request = up.Request(words=started, dry_run=True)
        plan = up.prepare(request, replace(world, sink=lambda event: None)).plan
    except ArcError:
        return None
    return tuple(step for step in plan.steps if step.action is Action.RECREATE)


def different(world: World) -> tuple[Value, ...]:
    """Every value that is not the default; secrets that arcctl drew by itself are as they come."""
    drawn = world.home.secrets()
    values = settings(world).values.items()
    return tuple(v for n, v in values if v.text != v.variable.default and v.text != drawn.get(n, v.variable.default))
