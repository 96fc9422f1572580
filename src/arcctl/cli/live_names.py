"""Completion of names that only a running server knows. A name that cannot be found out is not completed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import typer

from arcctl.cli.globals import typed_options

if TYPE_CHECKING:
    from arcctl.project import Project

SECONDS = 2.0
"""How long the Tab key may take."""


def complete_topics(ctx: typer.Context, incomplete: str) -> list[str]:
    """With the service where one was typed, else without: shells split words at a colon."""
    from arcctl.cli.project import data_clients
    from arcctl.data import topics

    async def find(project: Project) -> list[str]:
        listed = await topics.list_("", project, data_clients())
        return [topic.address if ":" in incomplete else topic.name for topic in listed.topics]

    return _complete(find, ctx, incomplete)


def complete_databases(ctx: typer.Context, incomplete: str) -> list[str]:
    return _databases(ctx, incomplete, services=True)


def complete_user_databases(ctx: typer.Context, incomplete: str) -> list[str]:
    """Those that belong to no service."""
    return _databases(ctx, incomplete, services=False)


def _databases(ctx: typer.Context, incomplete: str, *, services: bool) -> list[str]:
    from arcctl.cli.project import data_clients
    from arcctl.data import db as databases

    async def find(project: Project) -> list[str]:
        listed = await databases.list_((), project, data_clients())
        return [database.name for database in listed if services or not database.service]

    return _complete(find, ctx, incomplete)


def complete_flags(ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl.data import flags

    async def find(project: Project) -> list[str]:
        return [flag.name for flag in await flags.list_flags(project)]

    return _complete(find, ctx, incomplete)


def _complete(find: Callable[[Project], Awaitable[list[str]]], ctx: typer.Context, incomplete: str) -> list[str]:
    import asyncio

    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project

    try:
        names = run(asyncio.wait_for(find(load_project(typed_options(ctx))), SECONDS))
    except Exception:  # the Tab key must print nothing, whatever is wrong
        return []
    return [name for name in names if name.startswith(incomplete)]
