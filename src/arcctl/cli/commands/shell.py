"""`shell`: a service's own client."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import complete_shells


def register(app: typer.Typer) -> None:
    app.command()(shell)


def shell(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A service.", autocompletion=complete_shells)],
    words: Annotated[list[str] | None, typer.Argument(metavar="[-- WORDS]...", help="For its client.")] = None,
    user: Annotated[str, typer.Option("--as", metavar="USER", help="Another user of the service.")] = "",
) -> None:
    """Start a service's own client, logged in. It reads a terminal or a pipe; no password is typed or shown.

    Examples: `arcctl shell postgres`, `arcctl shell postgres -- -c 'select 1'`, `echo streams | arcctl shell nats`
    """
    from arcctl.cli.project import load_project
    from arcctl.connect import shell as use_case
    from arcctl.connect.clients.sessions import open_session
    from arcctl.model.connection import InteractiveClient
    from arcctl.terminal import console as terminal
    from arcctl.terminal import prompt as show

    def converse(prompt: InteractiveClient, host: str, port: int, words: tuple[str, ...]) -> int:
        return show.run(open_session(prompt, host, port, terminal.line), name, words)

    request = use_case.Request(name=name, words=tuple(words or ()), user=user)
    raise typer.Exit(use_case.shell(request, load_project(ctx.obj), converse))
