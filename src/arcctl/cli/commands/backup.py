"""`backup`: create, list, verify, restore, delete."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Json, Words, Yes, begun

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="All data in one folder, and back again.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="backup")


def complete_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The backups of the home that is named or found."""
    from arcctl.cli import wiring
    from arcctl.errors import ArcError

    try:
        entries = wiring.shelf(begun(ctx)).entries()
    except ArcError:
        return []
    return [entry.name for entry in entries if entry.name.startswith(incomplete)]


Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="As `list` shows it, or the path of a folder.", autocompletion=complete_names),
]
Key = Annotated[
    str, typer.Option("--key", metavar="FILE", help="Its passphrase or age identity, where that is not this home's.")
]


@app.command()
def create(
    ctx: typer.Context,
    names: Words = None,
    to: Annotated[str, typer.Option(metavar="FOLDER", help="Where, instead of .arcctl/backups.")] = "",
    recipient: Annotated[str, typer.Option(metavar="AGE1…", help="Encrypt for this age recipient.")] = "",
    passphrase_file: Annotated[str, typer.Option(metavar="FILE", help="Encrypt with the passphrase in it.")] = "",
    json_: Json = False,
) -> None:
    """Take all data, or that of some services, while everything runs.

    Postgres is dumped as of one moment while it serves. Every other service stands still while its volume is copied,
    one after the other, for seconds; who uses them need not stop. Secrets and settings of the home come along. All of
    it is encrypted: with --recipient, --passphrase-file, or a passphrase of this home that the first backup makes in
    .arcctl/backup.passphrase. Keep a copy of that in another place.

    Examples: `arcctl backup create`, `arcctl backup create postgres --to /mnt/backups --json`
    """
    from arcctl.app import backup as use_case
    from arcctl.cli import wiring
    from arcctl.errors import UsageError
    from arcctl.ui import backup as show
    from arcctl.ui.progress import Progress

    if recipient and not recipient.startswith(use_case.RECIPIENT):
        raise UsageError(f"no age recipient: {recipient}", hint="age-keygen makes one; it starts with age1")
    if recipient and passphrase_file:
        raise UsageError("either --recipient or --passphrase-file", hint="leave one out")
    request = use_case.Create(words=tuple(names or ()), to=to, lock=recipient or passphrase_file)
    with Progress() as progress:
        created = wiring.run(use_case.create(request, wiring.world(ctx.obj, progress)))
    show.created(created, json_)
    if created.down:
        raise typer.Exit(1)


@app.command("list")
def list_(ctx: typer.Context, json_: Json = False) -> None:
    """The backups in .arcctl/backups: age, size, what they hold, and whether they were proved.

    Examples: `arcctl backup list`, `arcctl backup list --json`
    """
    from arcctl.cli import wiring
    from arcctl.ui import backup as show

    show.listed(wiring.shelf(ctx.obj).entries(), json_)


@app.command()
def verify(
    ctx: typer.Context,
    name: Name = "",
    quick: Annotated[bool, typer.Option("--quick", help="Compare hashes only.")] = False,
    key: Key = "",
    json_: Json = False,
) -> None:
    """Restore into a throw-away platform beside the running one, and let every service there show that it works.

    Without a name it takes the newest.

    Examples: `arcctl backup verify`, `arcctl backup verify 20261124T210000Z --quick`
    """
    from arcctl.app import backup_verify as use_case
    from arcctl.cli import wiring
    from arcctl.ui import backup as show
    from arcctl.ui.progress import Progress

    request = use_case.Request(name=name, quick=quick, key_file=key)
    with Progress() as progress:
        world = wiring.world(ctx.obj, progress)
        report = wiring.run(use_case.run(request, world, partial(wiring.beside, world)))
    show.verified(report, json_)
    if not report.passed:
        raise typer.Exit(1)


@app.command()
def restore(
    ctx: typer.Context,
    name: Name,
    names: Words = None,
    secrets: Annotated[bool, typer.Option("--secrets", help="The home's secrets and settings too.")] = False,
    key: Key = "",
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Put data back, service by service, each whole or not at all. Says what it replaces, and asks.

    A service that cannot be restored goes on with the data that it had. Services come up, and answer, before it ends.
    Passwords stay those of this home, unless --secrets: then all of them are those of the backup.

    Examples: `arcctl backup restore 20261124T210000Z`, `arcctl backup restore /mnt/20261124T210000Z redis --yes`
    """
    from arcctl.app import backup as use_case
    from arcctl.cli import wiring
    from arcctl.ui import backup as show
    from arcctl.ui.progress import Progress

    request = use_case.Restore(name=name, words=tuple(names or ()), key_file=key, secrets=secrets)
    with Progress() as progress:
        world = wiring.world(ctx.obj, progress)
        plan = use_case.preview(request, world)
    show.preview(plan)
    words = [name, *(names or ()), *(("--secrets",) if secrets else ()), *(("--key", key) if key else ())]
    command = f"arcctl backup restore {' '.join(words)}"
    if plan.replaces and not agreed("Replace all of this?", yes=yes, command=command, what="replace data"):
        return
    with Progress() as progress:
        world = wiring.world(ctx.obj, progress)
        restored = wiring.run(use_case.restore(request, world))
    show.restored(restored, json_)
    if restored.kept:
        raise typer.Exit(1)


@app.command()
def delete(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    """Remove a backup. Says what it holds, and asks.

    Example: `arcctl backup delete 20261124T210000Z --yes`
    """
    from arcctl.cli import wiring
    from arcctl.ui import backup as show
    from arcctl.ui import terminal

    stored = wiring.shelf(ctx.obj).find(name)
    show.held(name, stored.manifest)
    if agreed("Remove it?", yes=yes, command=f"arcctl backup delete {name}", what="remove a backup"):
        stored.delete()
        terminal.say(f"removed {name}")
