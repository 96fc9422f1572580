"""`identities`: accounts of people."""

from __future__ import annotations

import typer

from arcctl.cli.options import Json

identities = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Accounts of people.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(identities, name="identities")


@identities.command("list")
def list_identities(ctx: typer.Context, json_: Json = False) -> None:
    """List all accounts with their state and their traits.

    Examples: `arcctl identities list`, `arcctl identities list --json`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.data import flags, view

    listed = run(flags.list_identities(load_project(ctx.obj, ctx.obj.display())))
    (view.identities_json if json_ else view.identities)(listed)
