"""`projects`: the projects of this machine."""

from __future__ import annotations

import typer

from arcctl.cli.options import Json


def register(app: typer.Typer) -> None:
    app.command()(projects)


def projects(json_: Json = False) -> None:
    """List every project of this machine: its engine, state, ports, memory, disk, last use and directory.

    Also lists projects whose directory is gone. Works anywhere, also without an engine.

    Examples: `arcctl projects`, `arcctl projects --json`
    """
    from arcctl.lifecycle import projects as use_case
    from arcctl.lifecycle import view

    report = use_case.projects()
    (view.projects_json if json_ else view.projects)(report)
