"""`secrets list` and `secrets export`: what there is, whom it concerns, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from arcctl.app.world import World, settings
from arcctl.core.env import UNTOLD
from arcctl.core.rotation import Secret, secrets
from arcctl.core.secret import Fixed
from arcctl.core.settings import Value
from arcctl.errors import UsageError

UNSET = "not set yet"
GENERATED, TOLD = "generated", "told by its server"


@dataclass(frozen=True)
class Entry:
    """One secret as `list` shows it: never its value."""

    secret: Secret
    origin: str
    changed: str
    """When it was last changed, empty where that is not known."""
    fixed: str
    """Why it cannot be rotated; empty where it can."""
    hint: str


def entries(world: World) -> tuple[Entry, ...]:
    loaded, changed = settings(world), world.home.changed()
    return tuple(
        _entry(secret, loaded.values[name], changed.get(name, ""), world)
        for name, secret in secrets(world.catalogue).items()
    )


def _entry(secret: Secret, value: Value, changed: str, world: World) -> Entry:
    origin = origin_of(value, world)
    reason, hint = fixed(secret, value, world)
    known = origin in (GENERATED, TOLD)
    return Entry(secret, origin, changed if known else "", reason, hint)


def origin_of(value: Value, world: World) -> str:
    """In words; a file of the user or his environment by its own name."""
    if value.text is None or (value.variable.told and value.text == UNTOLD):
        return UNSET
    ours = {s.origin for s in world.home.sources(world.catalogue.services) if not s.owner}
    if value.origin not in ours:
        return value.origin
    return TOLD if value.variable.told else GENERATED


def fixed(secret: Secret, value: Value, world: World) -> tuple[str, str]:
    """Why a secret cannot be rotated and what to do instead; both empty where it can."""
    if isinstance(secret.way, Fixed):
        return secret.way.reason, secret.way.hint
    origin = origin_of(value, world)
    if origin == UNSET:
        return "there is none yet", f"arcctl bootstrap {secret.owner}" if secret.variable.told else "arcctl init"
    if origin != (TOLD if secret.way.issues else GENERATED):
        first = f"{secret.way.by_hand}, then " if secret.way.by_hand else ""
        again = f"arcctl up {' '.join(secret.users)}"
        return f"it was set by hand, in {origin}", f"{first}change {secret.name} in {origin} and run: {again}"
    return "", ""


def values(world: World) -> dict[str, str]:
    """Every secret that is set, by name, for production.

    Raises UsageError where there is none.
    """
    loaded = settings(world).values
    found = {name: loaded[name].text for name in sorted(secrets(world.catalogue))}
    kept = {name: text for name, text in found.items() if text not in (None, UNTOLD)}
    if not kept:
        raise UsageError("this home has no secrets yet", hint="arcctl init")
    return {name: text or "" for name, text in kept.items()}
