"""`engine`: what runs services without Docker, and where their servers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Json, Words, Yes

if TYPE_CHECKING:
    from arcctl.core.sources import Offer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Servers for machines without Docker.")
MEGABYTE = 1 << 20
SCHEMA = "arcctl.engine-list/v1"


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="engine")


@app.command("list")
def list_(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """What is ready, what can be built here and how long that takes, what cannot.

    Examples: `arcctl engine list`, `arcctl engine list --json`
    """
    import json

    from arcctl.app import servers as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    offers = use_case.chosen(tuple(names or ()), *wiring.servers(ctx.obj))
    if json_:
        terminal.line(json.dumps({"schema": SCHEMA, "servers": [_item(offer) for offer in offers]}, indent=2))
        return
    rows = [(o.service, o.key, *_state(o)) for o in offers]
    terminal.table(("SERVICE", "PROCESS", "STATE", "SERVER"), rows)


def _item(offer: Offer) -> dict[str, object]:
    return {
        "service": offer.service,
        "process": offer.key,
        "state": offer.readiness.name.lower(),
        "source": offer.source.name if offer.source else None,
        "version": offer.version,
        "minutes": offer.source.minutes if offer.source else None,
        "toolchain": list(offer.source.toolchain) if offer.source else [],
        "lacking": list(offer.lacking),
    }


def _state(offer: Offer) -> tuple[tuple[str, str], str]:
    from arcctl.core.sources import Readiness, explain

    server = f"{offer.source.name} {offer.version}".rstrip() if offer.source else "-"
    match offer.readiness:
        case Readiness.READY:
            return ("✔ ready", "green"), server
        case Readiness.QUICK:
            return ("✔ made by `arcctl up` in seconds", "green"), server
        case Readiness.BUILDABLE:
            return (f"○ {explain(offer)}", "yellow"), server
        case _:
            return (f"✘ {explain(offer)}", "red"), server


@app.command()
def build(ctx: typer.Context, names: Words = None) -> None:
    """Make the servers of these services and of what they need. An interrupted build goes on where it was.

    Examples: `arcctl engine build`, `arcctl engine build loki unleash`
    """
    from arcctl.app import servers as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    with Progress() as progress:
        made = use_case.build(tuple(names or ()), *wiring.servers(ctx.obj), progress)
    terminal.say(f"made: {', '.join(source.name for source in made)}" if made else "nothing was missing", style="green")
    terminal.say("next: arcctl --engine embedded up")


@app.command()
def clean(ctx: typer.Context, yes: Yes = False) -> None:
    """Remove every server that was made, for all homes of this user. Data is kept.

    Example: `arcctl engine clean --yes`
    """
    from arcctl.cli import wiring
    from arcctl.errors import UsageError
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    if world.home.engine() == "embedded":
        raise UsageError("this home runs on what would be removed", hint="arcctl down, then arcctl engine clean")
    _, servers = wiring.servers(ctx.obj)
    terminal.say(f"servers that were made: {servers.size() // MEGABYTE} MB")
    if agreed("Remove all of them?", yes=yes, command="arcctl engine clean", what="remove them"):
        servers.clean()
        terminal.say("removed; `arcctl up` and `arcctl engine build` make them again")
