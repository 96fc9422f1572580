"""`clean`: destroy containers, networks and data."""

from __future__ import annotations

from dataclasses import replace

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Yes


def register(app: typer.Typer) -> None:
    app.command()(clean)


def clean(ctx: typer.Context, yes: Yes = False) -> None:
    """Delete containers, networks and all data. Lists them first, and asks.

    Examples: `arcctl clean`, `arcctl clean --yes`
    """
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import clean as use_case
    from arcctl.lifecycle import view

    project = replace(load_project(ctx.obj), sink=ctx.obj.display())
    containers, volumes = use_case.destroyable(project)
    view.destroyable(containers, volumes)
    if (containers or volumes) and agreed("Destroy all of this?", yes=yes, command="arcctl clean"):
        use_case.clean(project)
        view.cleaned()
