"""Commands that set up and prove: bootstrap, verify, trace."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from arcctl.cli.options import Json, Summary, Words


def register(app: typer.Typer) -> None:
    app.command()(bootstrap)
    app.command()(verify)
    app.command()(trace)


def bootstrap(
    ctx: typer.Context,
    names: Words = None,
    check: Annotated[bool, typer.Option("--check", help="Look only, make nothing.")] = False,
    json_: Json = False,
) -> None:
    """Make the accounts, tokens, databases, topics and streams that are missing. `up` does it for what it starts.

    Examples: `arcctl bootstrap`, `arcctl bootstrap --check`, `arcctl bootstrap unleash --json`
    """
    from arcctl.app import bootstrap as use_case
    from arcctl.cli import wiring
    from arcctl.ui import bootstrap as show
    from arcctl.ui.progress import Progress

    request = use_case.Request(words=tuple(names or ()), check=check)
    with Progress() as progress:
        report = wiring.run(use_case.run(request, wiring.world(ctx.obj, progress)))
    (show.show_json if json_ else show.show)(report)
    if not report.passed:
        raise typer.Exit(1)


def verify(
    ctx: typer.Context,
    names: Words = None,
    json_: Json = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.")] = None,
    summary: Summary = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one proof may take.")] = 30.0,
) -> None:
    """Let every service show that it does its job: write, read back, clean up. Safe beside real work.

    Examples: `arcctl verify`, `arcctl verify postgres nats`, `arcctl verify all --json`
    """
    from arcctl.app import verify as use_case
    from arcctl.app.telemetry import recorded
    from arcctl.cli import wiring
    from arcctl.ui import summary as markdown
    from arcctl.ui import verify as show
    from arcctl.ui.progress import Progress

    request = use_case.Request(words=tuple(names or ()), timeout=timeout)
    with Progress() as progress:
        world = wiring.world(ctx.obj, progress)
        report = wiring.run(recorded("verify", world, partial(use_case.run, request), lambda r: r.passed))
    (show.show_json if json_ else show.show)(report)
    if junit:
        wiring.write_report(junit, show.junit(report))
    if summary:
        wiring.append_report(summary, markdown.of_verify(report))
    if not report.passed:
        raise typer.Exit(1)


def trace(
    ctx: typer.Context,
    trace_id: Annotated[str, typer.Argument(metavar="ID", help="32 hexadecimal digits.")] = "",
    new: Annotated[bool, typer.Option("--new", help="Make a request first, and follow that.")] = False,
    json_: Json = False,
) -> None:
    """One request through the whole telemetry path: its spans, log lines, metrics, and the delay of each hop.

    Examples: `arcctl trace --new`, `arcctl trace 4bf92f3577b34da6a3ce929d0e0e4736`
    """
    from arcctl.app import trace as use_case
    from arcctl.cli import wiring
    from arcctl.core.trace import valid_id
    from arcctl.errors import UsageError
    from arcctl.ui import trace as show

    if new == bool(trace_id):
        raise UsageError("either the id of a trace, or --new", hint="arcctl trace --new")
    wanted = "" if new else valid_id(trace_id)
    found = wiring.run(use_case.run(wanted, wiring.world(ctx.obj)))
    (show.show_json if json_ else show.show)(found)
    if not all(hop.ok for hop in found.hops):
        raise typer.Exit(1)
