"""`top`: memory, CPU and disk of what runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from arcctl.cli.options import Json, Words


def register(app: typer.Typer) -> None:
    app.command()(top)


def top(
    ctx: typer.Context,
    names: Words = None,
    once: Annotated[bool, typer.Option("--once", help="Print once, also on a terminal.")] = False,
    json_: Json = False,
) -> None:
    """Memory, CPU and disk of everything that runs; on a terminal until Ctrl-C.

    Examples: `arcctl top`, `arcctl top postgres redis --once`, `arcctl top --json`
    """
    from arcctl.cli.project import load_project
    from arcctl.diagnostics import top as use_case
    from arcctl.diagnostics import view
    from arcctl.terminal import console as terminal

    words, project = tuple(names or ()), load_project(ctx.obj)
    report = use_case.top(words, project)
    if json_:
        terminal.line(view.top_json(report))
    elif once or not sys.stdout.isatty():
        view.show_top(report)
    else:
        view.follow_top(lambda: use_case.top(words, project, report.disk))
    if not report.containers:
        terminal.say("nothing is running; to start: arcctl up")
