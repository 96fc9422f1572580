"""`service`: your own services, which behave in every command as the built-in ones do."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Json, Yes, complete_custom

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Your own services: add, new, remove, list.")

NewName = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and dashes: my-agent.")]
Needs = Annotated[str, typer.Option(metavar="NAMES", help="Services that must run first: redis,nats.")]
Database = Annotated[bool, typer.Option("--database", help="A role and a database of its own in Postgres.")]
Web = Annotated[bool, typer.Option("--web", help="The gateway serves it as http://NAME.localhost.")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="service")


@app.command()
def add(
    ctx: typer.Context,
    name: NewName,
    image: Annotated[str, typer.Option(help="With a version: nginx:1.29-alpine.")],
    port: Annotated[
        list[int] | None,
        typer.Option(min=1, max=65535, help="Of the container; the first is the one for probe and web."),
    ] = None,
    probe: Annotated[str, typer.Option(help="A path that answers 200, tcp, or none.")] = "",
    needs: Needs = "",
    database: Database = False,
    web: Web = False,
    metrics: Annotated[str, typer.Option(metavar="PATH", help="Where Prometheus reads metrics: /metrics.")] = "",
    env: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="A variable; ${REDIS_PASSWORD} stands for a setting.")
    ] = None,
    volume: Annotated[list[str] | None, typer.Option(metavar="NAME:PATH", help="Data that is kept.")] = None,
) -> None:
    """Add an image as a service: writes services/NAME.yaml, which you can edit.

    Examples: `arcctl service add web --image nginx:1.29-alpine --port 80 --probe / --web`,
    `arcctl service add agent --image me/agent:1.0 --port 8000 --needs nats,otel-collector --database`
    """
    from arcctl.cli.project import load_project
    from arcctl.custom import view
    from arcctl.custom.add import add as add_service

    fields = {
        "image": image,
        "ports": port or [],
        "probe": probe,
        "needs": _words(needs),
        "database": database,
        "web": web,
        "metrics": {"path": metrics} if metrics else {},
        "environment": dict(_pair(text, "=", "--env NAME=TEXT") for text in env or ()),
        "volumes": dict(_pair(text, ":", "--volume NAME:PATH") for text in volume or ()),
    }
    view.added(add_service(name, fields, load_project(ctx.obj)))


@app.command()
def new(ctx: typer.Context, name: NewName, needs: Needs = "", database: Database = False, web: Web = False) -> None:
    """Create a Python service with telemetry: apps/NAME and services/NAME.yaml.

    Examples: `arcctl service new my-agent --database --web`, `arcctl service new worker --needs nats`
    """
    from arcctl.cli.project import load_project
    from arcctl.custom import view
    from arcctl.custom.add import new as new_service

    fields = {"needs": _words(needs), "database": database, "web": web}
    view.added(new_service(name, fields, load_project(ctx.obj)))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _pair(text: str, sign: str, form: str) -> tuple[str, str]:
    from arcctl.errors import UsageError

    name, found, value = text.partition(sign)
    if not found:
        raise UsageError(f"{text!r} is not of the form {form}", hint="arcctl service add --help")
    return name, value


@app.command("list")
def list_(ctx: typer.Context, json_: Json = False) -> None:
    """The services of this project that are your own.

    Examples: `arcctl service list`, `arcctl service list --json`
    """
    from arcctl.cli.project import load_catalogue
    from arcctl.custom import view
    from arcctl.custom.list import list_services

    view.listed(list_services(load_catalogue(ctx.obj)), as_json=json_)


@app.command()
def remove(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One of `arcctl service list`.", autocompletion=complete_custom)
    ],
    data: Annotated[
        bool, typer.Option("--data", help="Destroy its volumes, its database and its secrets too.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Stop a service of your own and take it out of the platform. Its data and its code stay, unless --data is given.

    Examples: `arcctl service remove web`, `arcctl service remove agent --data --yes`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.custom import remove as use_case
    from arcctl.custom import view

    project = load_project(ctx.obj)
    removal = use_case.plan(name, project, data=data)
    view.removal(removal, data=data)
    command = f"arcctl service remove {name}{' --data' if data else ''}"
    if agreed("Remove all of this?", yes=yes, command=command, what="remove a service"):
        run(use_case.remove(removal, project, data=data))
        use_case.remove_files(removal, project)
        view.removed(removal, data=data)
