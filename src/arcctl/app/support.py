"""`support bundle`: what helps somebody else to help, each part by itself, with every secret taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from arcctl.app import up
from arcctl.app.world import World
from arcctl.core.events import Event
from arcctl.core.redaction import Redactor

Part = tuple[str, Callable[[], str]]
"""A file of the bundle, and what makes its text."""
MISSING = "not available: "
TAIL = "500"
"""Last lines of each log."""


def gather(parts: Iterable[Part], redact: Redactor) -> dict[str, str]:
    """The text of every part; one that cannot be made says why and keeps no other from being made."""
    return {name: redact(_text(make)) for name, make in parts}


def _text(make: Callable[[], str]) -> str:
    try:
        return make()
    except Exception as error:
        return f"{MISSING}{type(error).__name__}: {error}\n"


def logs(world: World) -> Iterator[Part]:
    """The end of the log of everything that exists."""
    for key in _existing(world):
        yield f"logs/{key}.log", partial(_log, world, key)


def _existing(world: World) -> list[str]:
    try:
        return sorted(world.engine.observe().containers)
    except Exception:
        return []


def _log(world: World, key: str) -> str:
    return "".join(f"{line}\n" for line in world.engine.logs([key], follow=False, since="", tail=TAIL))


def plan(world: World) -> str:
    """What `up` would do for what was started last, and what it says before."""
    notes: list[str] = []

    def note(event: Event) -> None:
        notes.append(event.message)

    words = tuple(sorted(world.home.started()))
    prepared = up.prepare(up.Request(words=words, dry_run=True), replace(world, sink=note))
    return "".join(f"{line}\n" for line in (*notes, *map(str, prepared.plan.steps)))
