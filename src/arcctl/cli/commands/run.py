"""`run`: run a program with the variables of `env`."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.model.connection import Side

TO_THE_END = {"allow_interspersed_args": False}
"""Whatever follows the first word belongs to it, options too."""


def register(app: typer.Typer) -> None:
    app.command(context_settings=TO_THE_END)(run)


def run(
    ctx: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="[--] CMD...", help="A program and its words.")],
) -> None:
    """Run a program with the variables of `arcctl env`. It has the terminal, and its exit code becomes the command's.

    Variables of the shell that would lead it elsewhere, such as PGSERVICE, are not passed on.

    Examples: `arcctl run -- python agent.py`, `arcctl run env`, `arcctl run -- sh -c 'psql "$DATABASE_URL"'`
    """
    from arcctl.cli.project import load_project
    from arcctl.connect import env as connection
    from arcctl.connect import view as show
    from arcctl.connect.clients import foreground

    project = load_project(ctx.obj)
    variables, removed = connection.environment(project.environment, connection.variables((), Side.HOST, project))
    show.removed(removed)
    foreground.become(command, variables)
