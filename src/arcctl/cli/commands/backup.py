"""`backup`: create, list, verify, restore, delete."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.globals import typed_options
from arcctl.cli.options import Json, Words, Yes

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Backups: create, list, verify, restore, delete.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="backup")


def complete_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The backups of the project."""
    from arcctl.cli.project import backup_repository
    from arcctl.errors import ArcError

    try:
        entries = backup_repository(typed_options(ctx)).entries()
    except ArcError:
        return []
    return [entry.name for entry in entries if entry.name.startswith(incomplete)]


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The name in `backup list`, or the path of a folder.", autocompletion=complete_names
    ),
]
Key = Annotated[
    str, typer.Option("--key", metavar="FILE", help="Its passphrase or age identity, where that is not this project's.")
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
    """Back up all data, or that of some services, while everything runs.

    Postgres is dumped as of one moment while it serves. Every other service is stopped for seconds while its volume is
    copied, one after the other; the services that use it go on. Secrets and settings of the project are included. All
    of it is encrypted: with --recipient, --passphrase-file, or a passphrase of this project that the first backup
    creates in .arcctl/backup.passphrase. Keep a copy of that in another place.

    Examples: `arcctl backup create`, `arcctl backup create postgres --to /mnt/backups --json`
    """
    from arcctl.backup import create as use_case
    from arcctl.backup import view
    from arcctl.backup.clients.repository import RECIPIENT
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import backup_tools, load_project
    from arcctl.errors import UsageError

    if recipient and not recipient.startswith(RECIPIENT):
        raise UsageError(f"not an age recipient: {recipient}", hint="age-keygen prints one; it starts with age1")
    if recipient and passphrase_file:
        raise UsageError("either --recipient or --passphrase-file, not both", hint="leave one out")
    request = use_case.Create(words=tuple(names or ()), to=to, encrypt_for=recipient or passphrase_file)
    with ctx.obj.display() as progress:
        project = load_project(ctx.obj, progress)
        report = run(use_case.create(request, project, backup_tools(project)))
    view.created(report, as_json=json_)
    if not report.passed:
        raise typer.Exit(1)


@app.command("list")
def list_(ctx: typer.Context, json_: Json = False) -> None:
    """List the backups in .arcctl/backups: age, size, what they hold, and how they were verified.

    Examples: `arcctl backup list`, `arcctl backup list --json`
    """
    from arcctl.backup import view
    from arcctl.backup.list import list_backups
    from arcctl.cli.project import backup_repository

    view.listed(list_backups(backup_repository(ctx.obj)), as_json=json_)


@app.command()
def verify(
    ctx: typer.Context,
    name: Name = "",
    quick: Annotated[bool, typer.Option("--quick", help="Compare hashes only.")] = False,
    key: Key = "",
    json_: Json = False,
) -> None:
    """Restore a backup in a sandbox next to the running platform, and run every service's smoke test there.

    Without a name it takes the newest.

    Examples: `arcctl backup verify`, `arcctl backup verify 20261124T210000Z --quick`
    """
    from arcctl.backup import verify as use_case
    from arcctl.backup import view
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import backup_tools, load_project, sandbox

    request = use_case.Verify(name=name, quick=quick, key_file=key)
    with ctx.obj.display() as progress:
        project = load_project(ctx.obj, progress)
        tools = backup_tools(project)
        report = run(use_case.verify(request, tools, partial(sandbox, project, tools)))
    view.verified(report, as_json=json_)
    if not report.passed:
        raise typer.Exit(1)


@app.command()
def restore(
    ctx: typer.Context,
    name: Name,
    names: Words = None,
    secrets: Annotated[bool, typer.Option("--secrets", help="The project's secrets and settings too.")] = False,
    key: Key = "",
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Put data back, service by service, each whole or not at all. Says what it replaces, and asks.

    A service that cannot be restored keeps the data that it had. Services are started, and answer, before it ends.
    Passwords stay those of this project; with --secrets all of them are those of the backup.

    Examples: `arcctl backup restore 20261124T210000Z`, `arcctl backup restore /mnt/20261124T210000Z redis --yes`
    """
    from arcctl.backup import restore as use_case
    from arcctl.backup import view
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import backup_tools, load_project

    request = use_case.Restore(name=name, words=tuple(names or ()), key_file=key, secrets=secrets)
    project = load_project(ctx.obj)
    preview = use_case.preview(request, project, backup_tools(project))
    view.previewed(preview)
    words = [name, *(names or ()), *(("--secrets",) if secrets else ()), *(("--key", key) if key else ())]
    command = f"arcctl backup restore {' '.join(words)}"
    if preview.replaces and not agreed("Replace all of this?", yes=yes, command=command, what="replace data"):
        return
    with ctx.obj.display() as progress:
        project = load_project(ctx.obj, progress)
        report = run(use_case.restore(request, project, backup_tools(project)))
    view.restored(report, as_json=json_)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def delete(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    """Delete a backup. Says what it holds, and asks.

    Example: `arcctl backup delete 20261124T210000Z --yes`
    """
    from arcctl.backup import view
    from arcctl.cli.project import backup_repository

    backup = backup_repository(ctx.obj).find(name)
    view.content(name, backup.manifest)
    if agreed("Delete it?", yes=yes, command=f"arcctl backup delete {name}", what="delete a backup"):
        backup.delete()
        view.deleted(name)
