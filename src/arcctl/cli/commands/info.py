"""`info`: how to reach every service."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import Json, Unavailable, Words


def register(app: typer.Typer) -> None:
    app.command()(info)


def info(
    ctx: typer.Context,
    names: Words = None,
    all_: Unavailable = False,
    json_: Json = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show passwords and tokens.")] = False,
) -> None:
    """How to reach every service: addresses, users, and passwords where --reveal is given.

    Examples: `arcctl info`, `arcctl info postgres --reveal`, `arcctl info --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.connect import info as use_case
    from arcctl.connect import view

    words = tuple(names or ())
    report = use_case.info(words, load_project(ctx.obj))
    (view.info_json if json_ else view.info)(report, reveal=reveal, explained=tuple(report.left_out) if all_ else words)
