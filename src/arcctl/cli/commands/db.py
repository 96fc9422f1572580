"""`db`: the user's databases, and the set-up and migrations of all."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.live_names import complete_databases, complete_user_databases
from arcctl.cli.options import Json, Words, Yes

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Databases: yours and those of the services.")

Reveal = Annotated[bool, typer.Option("--reveal", help="Show passwords.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAMES]...", help="Databases.", autocompletion=complete_databases)
]
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A database of yours.", autocompletion=complete_user_databases)
]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="For the database and its role.")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="db")


@app.command("list")
def list_(ctx: typer.Context, names: Names = None, json_: Json = False, reveal: Reveal = False) -> None:
    """List databases with owner, size, the service that uses each, and its address.

    Examples: `arcctl db list`, `arcctl db list shop --reveal`, `arcctl db list --json`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import db as databases
    from arcctl.data import view

    listed = run(databases.list_(tuple(names or ()), load_project(ctx.obj), data_clients()))
    (view.databases_json if json_ else view.databases)(listed, reveal=reveal)


@app.command()
def create(ctx: typer.Context, name: NewName, json_: Json = False, reveal: Reveal = False) -> None:
    """Create a database with the vector extension, owned by a new role of the same name.

    Its password is generated and kept with the other secrets of the project.

    Examples: `arcctl db create shop`, `arcctl db create shop --reveal`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import db as databases
    from arcctl.data import view

    with ctx.obj.display() as progress:
        project = load_project(ctx.obj, progress)
        database, created = run(databases.create(name, project, data_clients()))
    view.created_database(database, created=created, reveal=reveal, as_json=json_)


@app.command()
def drop(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    """Drop a database of yours, its role and its password. Lists first what that destroys, and asks.

    Examples: `arcctl db drop shop`, `arcctl db drop shop --yes`
    """
    from arcctl.cli.asking import agreed
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import db as databases
    from arcctl.data import view

    project, clients = load_project(ctx.obj), data_clients()
    view.drop_impact(name, run(databases.drop_impact(name, project, clients)))
    if agreed("Destroy all of this?", yes=yes, command=f"arcctl db drop {name}"):
        run(databases.drop(name, project, clients))
        view.dropped_database(name)


@app.command()
def init(ctx: typer.Context, json_: Json = False) -> None:
    """Create what the database server and the services with a database need and do not have. What exists stays.

    Examples: `arcctl db init`, `arcctl db init --json`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.data import db as databases
    from arcctl.lifecycle import view as show

    with ctx.obj.display() as progress:
        report = run(databases.init(load_project(ctx.obj, progress)))
    (show.bootstrap_json if json_ else show.bootstrap)(report)
    if not report.passed:
        raise typer.Exit(1)


@app.command()
def refresh(ctx: typer.Context) -> None:
    """Adapt databases to a newer image: rebuild indexes that another collation version made, update extensions.

    Runs REINDEX DATABASE, ALTER DATABASE ... REFRESH COLLATION VERSION and ALTER EXTENSION ... UPDATE, only where it
    is needed. Tables that are rebuilt cannot be written to meanwhile. `arcctl upgrade` does this too.

    Examples: `arcctl db refresh`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import db as databases
    from arcctl.data import view

    with ctx.obj.display() as progress:
        done = run(databases.refresh(load_project(ctx.obj, progress), data_clients()))
    view.refreshed(done)


@app.command()
def migrate(ctx: typer.Context, names: Words = None) -> None:
    """Bring the tables of services to the version that their servers expect. A second run changes nothing.

    Examples: `arcctl db migrate`, `arcctl db migrate kratos`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project, newest_backup
    from arcctl.data import view
    from arcctl.data.migrate import migrate as migrate_tables
    from arcctl.lifecycle.up import raise_for_failed

    with ctx.obj.display() as progress:
        project = load_project(ctx.obj, progress)
        result = run(migrate_tables(tuple(names or ()), project, data_clients()))
    raise_for_failed(result, project, newest_backup(project))
    view.migrated(result.plan.services)
