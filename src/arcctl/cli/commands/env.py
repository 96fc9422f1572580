"""`env`: variables with which programs connect."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import Words
from arcctl.connect.view import Format
from arcctl.model.connection import Side


def register(app: typer.Typer) -> None:
    app.command()(env)


def env(
    ctx: typer.Context,
    names: Words = None,
    side: Annotated[Side, typer.Option("--for", help="Where the program runs: host or container.")] = Side.HOST,
    format_: Annotated[Format, typer.Option("--format", help="A shell's, a .env file's, or JSON.")] = Format.SH,
) -> None:
    """Variables with which programs connect, passwords included, under the names that client libraries read.

    Examples: `eval "$(arcctl env)"`, `arcctl env postgres redis --format dotenv`, `arcctl env --for container`
    """
    from arcctl.cli.project import load_project
    from arcctl.connect import env as connection
    from arcctl.connect import view as show
    from arcctl.terminal import console as terminal

    found = connection.variables(tuple(names or ()), side, load_project(ctx.obj))
    if shown := show.variables(found.values, side, format_, found.overrides):
        terminal.line(shown)
    show.left_out(found.left_out, names or ())
