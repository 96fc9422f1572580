"""`init`: create a project."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import FixedPorts


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    ctx: typer.Context,
    new_identity: Annotated[
        bool, typer.Option("--new-identity", help="Make a copied project directory a project of its own.")
    ] = False,
    fixed_ports: FixedPorts = False,
) -> None:
    """Create a project here: its files, secrets that only you can read, free ports. Existing files stay as they are.

    It gets the name of its directory, or the one that `-p` says.

    Examples: `arcctl init`, `arcctl -p shop init`, `arcctl --project-directory ~/arc init`,
    `arcctl init --fixed-ports`
    """
    from arcctl.cli.project import load_project, new_project
    from arcctl.lifecycle import init as use_case
    from arcctl.lifecycle import view

    options = new_project(ctx.obj)
    project = load_project(options, view.warn, new_identity=new_identity)
    view.init(use_case.init(project, fixed_ports=fixed_ports))
