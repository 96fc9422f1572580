"""`ps`: what runs, without probing."""

from __future__ import annotations

import typer

from arcctl.cli.options import Containers, Json, Unavailable


def register(app: typer.Typer) -> None:
    app.command()(ps)
    app.command("status", hidden=True)(ps)


def ps(ctx: typer.Context, names: Containers = None, all_: Unavailable = False, json_: Json = False) -> None:
    """List services and their components as the engine sees them, without a probe. `status` is the same command.

    Examples: `arcctl ps`, `arcctl ps redis --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import ps as use_case
    from arcctl.lifecycle import view

    report = use_case.ps(tuple(names or ()), load_project(ctx.obj))
    if json_:
        view.ps_json(report)
    else:
        view.ps(report, all_=all_)
