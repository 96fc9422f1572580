"""`flags` and `identities`: thin typed calls of what manages flags and accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from arcctl.app.inside import Inside, one_with
from arcctl.app.world import World
from arcctl.core import content_names as names
from arcctl.core.contents import MOST_PAGES, PAGE, Flag, Flags, Identities, Identity, read_flags, read_identities
from arcctl.errors import UsageError

T = TypeVar("T")
F = TypeVar("F", Flags, Identities)


async def _pages(inside: Inside[F], read: Callable[[str], tuple[T, ...]]) -> tuple[T, ...]:
    """Page after page until one is not full; what is beyond the last that is asked for is left out, and said so."""
    found: list[T] = []
    for number in range(MOST_PAGES):
        values = {"page": str(number), "offset": str(number * PAGE)}
        page = read(await inside.ask(inside.held.page, values))
        found += page
        if len(page) < PAGE:
            return tuple(found)
    inside.world.note(f"only the first {len(found)} are shown")
    return tuple(found)


async def flags(world: World) -> tuple[Flag, ...]:
    return await _pages(await one_with(Flags, world), read_flags)


async def identities(world: World) -> tuple[Identity, ...]:
    return await _pages(await one_with(Identities, world), read_identities)


async def turn(name: str, environment: str, *, on: bool, world: World) -> bool:
    """Turn a flag on or off in one environment; whether that changed anything.

    Raises UsageError for a flag or an environment that does not exist.
    """
    names.flag(name)
    inside = await one_with(Flags, world)
    known = {flag.name: flag for flag in await _pages(inside, read_flags)}
    if name not in known:
        raise names.unknown("flag", name, {n: n for n in known}, "arcctl flags list")
    flag = known[name]
    if environment not in flag.environments:
        raise UsageError(
            f"{name} has no environment {environment!r}", hint=f"one of {', '.join(flag.environments) or 'none'}"
        )
    if flag.environments[environment] is on:
        return False
    call = inside.held.on if on else inside.held.off
    await inside.ask(call, {"project": flag.project, "flag": name, "environment": environment})
    return True
