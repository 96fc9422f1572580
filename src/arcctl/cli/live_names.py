"""Completion of names that only a running server knows. It stays silent where it finds nothing out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import typer

from arcctl.cli.options import begun

if TYPE_CHECKING:
    from arcctl.app.world import World

SECONDS = 2.0
"""How long a person may wait behind the Tab key."""


def complete_topics(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names with their broker where one was typed, else as they are: shells part words at a colon."""
    from arcctl.app import topics

    async def found(world: World) -> list[str]:
        listed = await topics.list_("", world)
        return [topic.address if ":" in incomplete else topic.name for topic in listed.topics]

    return _found(found, ctx, incomplete)


def complete_databases(ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl.app import databases

    async def found(world: World) -> list[str]:
        return [entry.database.name for entry in await databases.list_((), world)]

    return _found(found, ctx, incomplete)


def complete_own_databases(ctx: typer.Context, incomplete: str) -> list[str]:
    """Those that no service needs."""
    from arcctl.app import databases

    async def found(world: World) -> list[str]:
        return [entry.database.name for entry in await databases.list_((), world) if not entry.service]

    return _found(found, ctx, incomplete)


def complete_flags(ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl.app import flags

    async def found(world: World) -> list[str]:
        return [flag.name for flag in await flags.flags(world)]

    return _found(found, ctx, incomplete)


def _found(ask: Callable[[World], Awaitable[list[str]]], ctx: typer.Context, incomplete: str) -> list[str]:
    import asyncio

    from arcctl.cli import wiring

    try:
        names = wiring.run(asyncio.wait_for(ask(wiring.world(begun(ctx))), SECONDS))
    except Exception:  # whatever is wrong, a key that completes must not print it
        return []
    return [name for name in names if name.startswith(incomplete)]
