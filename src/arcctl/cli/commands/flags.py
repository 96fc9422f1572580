"""`flags`: feature flags."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.live_names import complete_flags
from arcctl.cli.options import Json

flags = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Feature flags.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A flag.", autocompletion=complete_flags)]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where it is switched.")]
DEFAULT_ENVIRONMENT = "development"


def register(parent: typer.Typer) -> None:
    parent.add_typer(flags, name="flags")


@flags.command("list")
def list_flags(ctx: typer.Context, json_: Json = False) -> None:
    """List all flags with the environments in which each is on.

    Examples: `arcctl flags list`, `arcctl flags list --json`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.data import flags, view

    listed = run(flags.list_flags(load_project(ctx.obj, ctx.obj.display())))
    (view.flags_json if json_ else view.flags)(listed)


@flags.command()
def on(ctx: typer.Context, name: Name, environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Turn a flag on. A flag without a strategy gets the default one: on for everybody.

    Examples: `arcctl flags on new-search`, `arcctl flags on new-search -e production`
    """
    _switch(ctx, name, environment, on=True)


@flags.command()
def off(ctx: typer.Context, name: Name, environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Turn a flag off.

    Examples: `arcctl flags off new-search`, `arcctl flags off new-search -e production`
    """
    _switch(ctx, name, environment, on=False)


def _switch(ctx: typer.Context, name: str, environment: str, *, on: bool) -> None:
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.data import flags, view

    changed = run(flags.switch(name, environment, on=on, project=load_project(ctx.obj)))
    view.switched(name, environment, on=on, changed=changed)
