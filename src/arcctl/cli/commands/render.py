"""`render`: write the files that derive from the declarations."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(render)


def render(
    ctx: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit code 1 when a file differs.")] = False,
) -> None:
    """Write the Compose files and `.env.example` files from the declarations.

    Examples: `arcctl render`, `arcctl render --check`
    """
    from arcctl.cli.project import load_catalogue, project_directory
    from arcctl.errors import UnhealthyError
    from arcctl.render import files as use_case
    from arcctl.render.compose import dump
    from arcctl.terminal import console as terminal

    directory = project_directory(ctx.obj)
    rendered = use_case.run(load_catalogue(ctx.obj), dump)
    stale = use_case.stale(rendered, directory.read)
    if check and stale:
        raise UnhealthyError(f"out of date: {', '.join(map(str, stale))}", hint="arcctl render")
    if not check:
        directory.write({path: rendered[path] for path in stale})
    terminal.say(f"{sum(map(bool, rendered.values()))} files, {len(stale)} rewritten")
