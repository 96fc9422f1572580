"""`db`: databases of the user's own, and the set-up and the migrations of everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.live_names import complete_databases, complete_own_databases
from arcctl.cli.options import Json, Words, Yes

if TYPE_CHECKING:
    from arcctl.core.contents import Loss

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Databases: yours and those of the services.")

Reveal = Annotated[bool, typer.Option("--reveal", help="Show passwords.")]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAMES]...", help="Databases.", autocompletion=complete_databases),
]
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A database of yours.", autocompletion=complete_own_databases)
]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="db")


@app.command("list")
def list_(
    ctx: typer.Context,
    names: Names = None,
    json_: Json = False,
    reveal: Reveal = False,
) -> None:
    """Databases with owner, size, the service they belong to and where they are.

    Examples: `arcctl db list`, `arcctl db list shop --reveal`, `arcctl db list --json`
    """
    from arcctl.app import databases
    from arcctl.cli import wiring
    from arcctl.ui import contents as show

    entries = wiring.run(databases.list_(tuple(names or ()), wiring.world(ctx.obj)))
    (show.databases_json if json_ else show.databases)(entries, reveal=reveal)


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For the database and its role.")],
    json_: Json = False,
    reveal: Reveal = False,
) -> None:
    """Make a database with vectors and a role of the same name. The password is drawn and kept in the home.

    Examples: `arcctl db create shop`, `arcctl db create shop --reveal`
    """
    from arcctl.app import databases
    from arcctl.cli import wiring
    from arcctl.ui import contents as show
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    with Progress() as progress:
        entry, made = wiring.run(databases.create(name, wiring.world(ctx.obj, progress)))
    terminal.say(f"database {name}: {'made' if made else 'was there already'}", style="green")
    if json_:
        show.databases_json([entry], reveal=reveal)
    else:
        terminal.line(show.url(entry, reveal=reveal))
    if not reveal:
        terminal.say(f"with its password: arcctl db list {name} --reveal")


@app.command()
def drop(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    """Destroy a database of yours, its role and its password. Lists what is lost first, and asks.

    Examples: `arcctl db drop shop`, `arcctl db drop shop --yes`
    """
    from arcctl.app import databases
    from arcctl.cli import wiring
    from arcctl.cli.asking import agreed
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    _show_loss(name, wiring.run(databases.loss(name, world)))
    if agreed("Destroy all of this?", yes=yes, command=f"arcctl db drop {name}"):
        wiring.run(databases.drop(name, world))
        terminal.say(f"destroyed: {name}")


def _show_loss(name: str, loss: Loss) -> None:
    from arcctl.ui import terminal

    terminal.say(f"database {name}: {terminal.size(loss.bytes)}, {terminal.count(loss.tables, 'table')}")
    for table in loss.largest:
        terminal.say(f"  {table.name}  {terminal.size(table.bytes)}")
    if loss.sessions:
        terminal.say(f"sessions that end: {loss.sessions}", style="yellow")


@app.command()
def init(ctx: typer.Context, json_: Json = False) -> None:
    """Make again what the server and every service with a database must have. What is there stays.

    Examples: `arcctl db init`, `arcctl db init --json`
    """
    from arcctl.app import databases
    from arcctl.cli import wiring
    from arcctl.ui import bootstrap as show
    from arcctl.ui.progress import Progress

    with Progress() as progress:
        report = wiring.run(databases.init(wiring.world(ctx.obj, progress)))
    (show.show_json if json_ else show.show)(report)
    if not report.passed:
        raise typer.Exit(1)


@app.command()
def migrate(ctx: typer.Context, names: Words = None) -> None:
    """Bring the tables of services to what their servers expect. Run twice it changes nothing.

    Examples: `arcctl db migrate`, `arcctl db migrate kratos`
    """
    from arcctl.app import migrate as use_case
    from arcctl.cli import wiring
    from arcctl.cli.commands.run import raise_for
    from arcctl.ui import terminal
    from arcctl.ui.progress import Progress

    with Progress() as progress:
        world = wiring.world(ctx.obj, progress)
        result = wiring.run(use_case.run(tuple(names or ()), world))
    raise_for(result, world)
    terminal.say(f"migrated: {', '.join(result.plan.services)}", style="green")
