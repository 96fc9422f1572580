"""`service`: services of the user's own, which behave in every command as the built-in ones do."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Globals, Json, Yes, complete_own

if TYPE_CHECKING:
    from arcctl.app.own import Removal
    from arcctl.app.world import World

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Services of your own: add, new, remove, list.")

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
    """Let an image join the platform: writes services/NAME.yaml, which is yours to edit.

    Examples: `arcctl service add web --image nginx:1.29-alpine --port 80 --probe / --web`,
    `arcctl service add agent --image me/agent:1.0 --port 8000 --needs nats,otel-collector --database`
    """
    document = {
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
    world = _begin(ctx.obj, name)
    _finish(ctx.obj, name, document, world, {})


@app.command()
def new(ctx: typer.Context, name: NewName, needs: Needs = "", database: Database = False, web: Web = False) -> None:
    """Start a service in Python: code in apps/NAME that tells what it does, and services/NAME.yaml.

    Examples: `arcctl service new my-agent --database --web`, `arcctl service new worker --needs nats`
    """
    from arcctl.cli import wiring

    world = _begin(ctx.obj, name)
    scaffold = wiring.scaffold(ctx.obj, name, database=database)
    document = {
        "build": scaffold.folder,
        "ports": [scaffold.port],
        "probe": "/health",
        "needs": list(dict.fromkeys((*scaffold.needs, *_words(needs)))),
        "database": database,
        "web": web,
        "user": scaffold.user,
        "embedded": {"lock": scaffold.lock, "command": list(scaffold.command)},
    }
    _finish(ctx.obj, name, document, world, scaffold.files)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _pair(text: str, sign: str, form: str) -> tuple[str, str]:
    from arcctl.errors import UsageError

    name, found, value = text.partition(sign)
    if not found:
        raise UsageError(f"{text!r} is not of the form {form}", hint="arcctl service add --help")
    return name, value


def _begin(chosen: Globals, name: str) -> World:
    """The home as it is, with its secrets, after a look at the name."""
    from arcctl.app import init
    from arcctl.cli import wiring
    from arcctl.core.graph import reserved
    from arcctl.core.names import refuse_name

    world = wiring.world(chosen)
    refuse_name(name, reserved(world.catalogue))
    init.run(world)
    return world


def _finish(chosen: Globals, name: str, said: dict[str, Any], world: World, files: dict[PurePosixPath, str]) -> None:
    """Writes the service's file and what is derived from it, once all of it fits."""
    from arcctl.app import init, own
    from arcctl.cli import wiring
    from arcctl.core.names import own_file
    from arcctl.core.own import HTTP
    from arcctl.ui import terminal
    from arcctl.ui.files import dump

    hosts = own.free_ports(world, len(said["ports"]))
    names = (HTTP, *(f"port{port}" for port in said["ports"][1:]))
    ports = [{"container": c, "host": h, "name": n} for c, h, n in zip(said["ports"], hosts, names, strict=False)]
    document = {field: value for field, value in {**said, "ports": ports}.items() if value}
    after = wiring.with_own(chosen, name, document)
    root = world.home.root
    wiring.write(root, {**files, PurePosixPath(own_file(name)): _HEADER.format(name=name) + dump(document)})
    wiring.render(root, world.catalogue, after)
    init.run(wiring.world(chosen))
    terminal.say(f"{own_file(name)}: {_summary(document)}")
    if files:
        terminal.say(f"{said['build']}: {len(files)} files, begin with README.md")
    terminal.say(f"next: arcctl up {name}")


_HEADER = "# A service of your own, made by `arcctl service`. Edit it, then: arcctl up {name}\n"


def _summary(document: dict[str, Any]) -> str:
    """What a service is, in one line."""
    parts = [document.get("image") or f"built from {document['build']}"]
    parts += [f"http://127.0.0.1:{port['host']}" for port in document.get("ports", [])]
    parts += [f"needs {', '.join(document['needs'])}"] if document.get("needs") else []
    parts += [word for word in ("database", "web") if document.get(word)]
    return "; ".join(parts)


@app.command("list")
def list_(ctx: typer.Context, json_: Json = False) -> None:
    """The services of this home that are your own.

    Examples: `arcctl service list`, `arcctl service list --json`
    """
    from arcctl.cli import wiring
    from arcctl.core.model import Layer
    from arcctl.core.names import own_file
    from arcctl.ui import terminal

    catalogue = wiring.catalogue(ctx.obj)
    services = [catalogue.services[i] for i in catalogue.layer(Layer.OWN)]
    if json_:
        items = [
            {
                "name": s.id,
                "title": s.title,
                "image": s.image,
                "build": s.build or None,
                "needs": [need.id for need in s.needs],
                "file": own_file(s.id),
            }
            for s in services
        ]
        terminal.line(json.dumps({"schema": "arcctl.service-list/v1", "services": items}, indent=2))
        return
    if not services:
        terminal.say("none yet; next: arcctl service add --help, arcctl service new --help")
        return
    rows = [(s.id, s.build or s.image, ", ".join(need.id for need in s.needs), own_file(s.id)) for s in services]
    terminal.table(("SERVICE", "MADE FROM", "NEEDS", "FILE"), rows)


@app.command()
def remove(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One of `arcctl service list`.", autocompletion=complete_own)
    ],
    data: Annotated[
        bool, typer.Option("--data", help="Destroy its volumes, its database and its secrets too.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Stop a service of your own and take it out of the platform. Its data and its code stay, unless --data is given.

    Examples: `arcctl service remove web`, `arcctl service remove agent --data --yes`
    """
    from arcctl.app import own
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    removal = own.look(name, world, data=data)
    _tell(removal, data=data)
    command = f"arcctl service remove {name}{' --data' if data else ''}"
    if not agreed("Remove all of this?", yes=yes, command=command, what="remove a service"):
        return
    wiring.run(own.remove(removal, world, data=data))
    wiring.write(world.home.root, dict.fromkeys(removal.files, ""))
    wiring.render(world.home.root, world.catalogue, wiring.catalogue(ctx.obj))
    terminal.say(f"removed {name}" + ("" if data or not removal.data else "; its data is kept"))


def _tell(removal: Removal, *, data: bool) -> None:
    """What goes, and what stays."""
    from arcctl.ui import terminal

    terminal.say(f"containers: {', '.join(removal.containers) or 'none'}")
    terminal.say(f"files: {', '.join(map(str, removal.files))}")
    terminal.say(f"{'data that is destroyed' if data else 'data that is kept'}: {', '.join(removal.data) or 'none'}")
    if removal.kept:
        terminal.say(f"code that is kept: {', '.join(map(str, removal.kept))}")
