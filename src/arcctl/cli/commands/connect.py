"""Commands by which programs and people get at the services: env, run, shell, open."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import Json, Words, complete_pages, complete_shells
from arcctl.core.connect import Side
from arcctl.ui.connection import Format

TO_THE_END = {"allow_interspersed_args": False}
"""Whatever follows the first word belongs to it, options too."""


def register(app: typer.Typer) -> None:
    app.command()(env)
    app.command(context_settings=TO_THE_END)(run)
    app.command()(shell)
    app.command("open")(open_)


def env(
    ctx: typer.Context,
    names: Words = None,
    side: Annotated[Side, typer.Option("--for", help="Where the program runs that connects.")] = Side.HOST,
    format_: Annotated[Format, typer.Option("--format", help="A shell's, a .env file's, or JSON.")] = Format.SH,
) -> None:
    """Variables with which programs find the services, passwords and all, under the names that their libraries know.

    Examples: `eval "$(arcctl env)"`, `arcctl env postgres redis --format dotenv`, `arcctl env --for container`
    """
    from arcctl.app import connection
    from arcctl.cli import wiring
    from arcctl.ui import connection as show
    from arcctl.ui import terminal

    variables = connection.variables(tuple(names or ()), side, wiring.world(ctx.obj))
    if shown := show.text(variables, side, format_):
        terminal.line(shown)


def run(
    ctx: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="[--] CMD...", help="A program and its words.")],
) -> None:
    """A program with the variables of `arcctl env`. It has the terminal, and its exit code is the command's.

    Examples: `arcctl run -- python agent.py`, `arcctl run env`, `arcctl run -- sh -c 'psql "$DATABASE_URL"'`
    """
    from arcctl.app import connection
    from arcctl.cli import wiring

    world = wiring.world(ctx.obj)
    wiring.become(command, {**world.environment, **connection.variables((), Side.HOST, world)})


def shell(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A service.", autocompletion=complete_shells)],
    words: Annotated[list[str] | None, typer.Argument(metavar="[-- WORDS]...", help="For its client.")] = None,
    user: Annotated[str, typer.Option("--as", metavar="USER", help="Another user of the service.")] = "",
) -> None:
    """A service's own client, logged in. Reads a terminal or a pipe; no password is typed or shown.

    Examples: `arcctl shell postgres`, `arcctl shell postgres -- -c 'select 1'`, `echo streams | arcctl shell nats`
    """
    from arcctl.app import shell as use_case
    from arcctl.cli import wiring
    from arcctl.core.connect import Prompt
    from arcctl.ui import prompt as show

    def converse(prompt: Prompt, port: int, words: tuple[str, ...]) -> int:
        return show.hold(wiring.session(prompt, port, show.tell), name, words)

    request = use_case.Request(name=name, words=tuple(words or ()), user=user)
    raise typer.Exit(use_case.run(request, wiring.world(ctx.obj), converse))


def open_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A service.", autocompletion=complete_pages)],
    json_: Json = False,
) -> None:
    """A service's page in the browser. Where there is no browser or no terminal its address is all there is.

    Examples: `arcctl open grafana`, `arcctl open jaeger`, `arcctl open unleash --json`
    """
    import json

    from arcctl.app import page
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    link = page.find(name, wiring.world(ctx.obj))
    if json_:
        terminal.line(
            json.dumps({"schema": "arcctl.open/v1", "name": name, "url": link.url, "user": link.user}, indent=2)
        )
        return
    terminal.line(link.url)
    if link.user:
        terminal.say(f"log in as {link.user}; the password: arcctl info {name} --reveal")
    wiring.browse(link.url)
