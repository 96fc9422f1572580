"""`clean`: destroy containers, networks and data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.asking import agreed, typed
from arcctl.cli.globals import Globals
from arcctl.cli.options import Yes

if TYPE_CHECKING:
    from arcctl.lifecycle.orphans import Orphan


def register(app: typer.Typer) -> None:
    app.command()(clean)


def clean(
    ctx: typer.Context,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Of projects whose directory is gone; asks for each by its name.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Delete containers, networks and all data of this project. Lists them first, and asks.

    Examples: `arcctl clean`, `arcctl clean --yes`, `arcctl clean --orphans`, `arcctl -p shop clean --orphans --yes`
    """
    (_clean_orphans if orphans else _clean)(ctx.obj, yes=yes)


def _clean(chosen: Globals, *, yes: bool) -> None:
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import clean as use_case
    from arcctl.lifecycle import view

    project = replace(load_project(chosen), sink=chosen.display())
    containers, volumes = use_case.destroyable(project)
    view.destroyable(containers, volumes)
    if (containers or volumes) and agreed("Destroy all of this?", yes=yes, command="arcctl clean"):
        use_case.clean(project)
        view.cleaned()


def _clean_orphans(chosen: Globals, *, yes: bool) -> None:
    """Raises UsageError for `--yes` without a name: it would be the answer for projects that nobody named."""
    from arcctl.errors import UsageError
    from arcctl.lifecycle import orphans as use_case
    from arcctl.lifecycle import view
    from arcctl.terminal import console as terminal

    found = use_case.orphans(chosen.project_name)
    for orphan in found:
        view.orphan(orphan)
        if yes and not chosen.project_name:
            raise UsageError("--yes with --orphans needs the name of one project", hint=_command(orphan))
        if not orphan.obstacle and _agreed(orphan, yes=yes):
            use_case.delete(orphan, terminal.say)
            view.orphan_destroyed(orphan)
        else:
            view.orphan_kept(orphan)
    if not found:
        view.no_orphans(chosen.project_name)


def _agreed(orphan: Orphan, *, yes: bool) -> bool:
    return yes or typed(orphan.name, "to destroy this, type the name of the project", command=_command(orphan))


def _command(orphan: Orphan) -> str:
    return f"arcctl -p {orphan.name} clean --orphans --yes"
