"""`compose`: docker Compose on the files of the project."""

from __future__ import annotations

import typer

ANY = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    app.command(context_settings={**ANY, "help_option_names": []})(compose)


def compose(ctx: typer.Context) -> None:
    """Docker Compose on the files of this project, with any arguments.

    Example: `arcctl compose top`
    """
    from arcctl.cli.project import load_project
    from arcctl.connect.clients import foreground

    raise typer.Exit(foreground.run((*load_project(ctx.obj).engine.command(), *ctx.args)))
