"""`trace`: follow one request through the telemetry path."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import Json


def register(app: typer.Typer) -> None:
    app.command()(trace)


def trace(
    ctx: typer.Context,
    trace_id: Annotated[str, typer.Argument(metavar="ID", help="32 hexadecimal digits.")] = "",
    new: Annotated[bool, typer.Option("--new", help="Send a request first, and follow that one.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for what is not there yet, up to half a minute.")] = False,
    json_: Json = False,
) -> None:
    """Follow one request through the telemetry path: its spans, log lines, metrics, and the delay of each hop.

    A store that has nothing of the request is shown as "none". With --new, each has to get its part.

    Examples: `arcctl trace --new`, `arcctl trace 4bf92f3577b34da6a3ce929d0e0e4736 --wait`
    """
    from arcctl.checks import trace as use_case
    from arcctl.checks import view
    from arcctl.checks.trace_report import valid_id
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.errors import UsageError
    from arcctl.terminal import console as terminal

    if new == bool(trace_id):
        raise UsageError("give the ID of a trace or --new, and not both", hint="arcctl trace --new")
    wanted = "" if new else valid_id(trace_id)
    found = run(use_case.trace(wanted, load_project(ctx.obj), wait=wait))
    if json_:
        terminal.line(view.trace_json(found))
    else:
        view.show_trace(found)
    if not all(hop.ok for hop in found.hops):
        raise typer.Exit(1)
