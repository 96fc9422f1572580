"""`down`: stop services."""

from __future__ import annotations

from dataclasses import replace

import typer

from arcctl.cli.options import Containers


def register(app: typer.Typer) -> None:
    app.command()(down)


def down(ctx: typer.Context, names: Containers = None) -> None:
    """Stop services and keep their data.

    Examples: `arcctl down`, `arcctl down redis`, `arcctl down redis-exporter`
    """
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import down as use_case
    from arcctl.lifecycle import view

    project = replace(load_project(ctx.obj), sink=ctx.obj.display())
    view.down(use_case.down(tuple(names or ()), project))
