"""`flags` and `identities`: thin typed calls of what manages them."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.live_names import complete_flags
from arcctl.cli.options import Json

flags = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Feature flags.")
identities = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Accounts of people.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A flag.", autocompletion=complete_flags)]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where it is turned.")]
USUAL = "development"


def register(parent: typer.Typer) -> None:
    parent.add_typer(flags, name="flags")
    parent.add_typer(identities, name="identities")


@flags.command("list")
def list_flags(ctx: typer.Context, json_: Json = False) -> None:
    """Every flag, and the environments in which it is on.

    Examples: `arcctl flags list`, `arcctl flags list --json`
    """
    from arcctl.app import flags as use_case
    from arcctl.cli import wiring
    from arcctl.ui import contents as show
    from arcctl.ui.progress import Progress

    found = wiring.run(use_case.flags(wiring.world(ctx.obj, Progress())))
    (show.flags_json if json_ else show.flags)(found)


@flags.command()
def on(ctx: typer.Context, name: Name, environment: Environment = USUAL) -> None:
    """Turn a flag on. One without a strategy gets the usual one: everybody has it.

    Examples: `arcctl flags on new-search`, `arcctl flags on new-search -e production`
    """
    _turn(ctx, name, environment, on=True)


@flags.command()
def off(ctx: typer.Context, name: Name, environment: Environment = USUAL) -> None:
    """Turn a flag off.

    Examples: `arcctl flags off new-search`, `arcctl flags off new-search -e production`
    """
    _turn(ctx, name, environment, on=False)


def _turn(ctx: typer.Context, name: str, environment: str, *, on: bool) -> None:
    from arcctl.app import flags as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    changed = wiring.run(use_case.turn(name, environment, on=on, world=wiring.world(ctx.obj)))
    state = ("is" if changed else "was") + (" on" if on else " off") + ("" if changed else " already")
    terminal.say(f"{name} {state} in {environment}", style="green")


@identities.command("list")
def list_identities(ctx: typer.Context, json_: Json = False) -> None:
    """Every account with its state and its traits.

    Examples: `arcctl identities list`, `arcctl identities list --json`
    """
    from arcctl.app import flags as use_case
    from arcctl.cli import wiring
    from arcctl.ui import contents as show
    from arcctl.ui.progress import Progress

    found = wiring.run(use_case.identities(wiring.world(ctx.obj, Progress())))
    (show.identities_json if json_ else show.identities)(found)
