"""`bootstrap`: create what services need."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import Json, Words


def register(app: typer.Typer) -> None:
    app.command()(bootstrap)


def bootstrap(
    ctx: typer.Context,
    names: Words = None,
    check: Annotated[bool, typer.Option("--check", help="Check only, create nothing.")] = False,
    json_: Json = False,
) -> None:
    """Create the accounts, tokens, databases, topics and streams that are missing. `up` does it for what it starts.

    Examples: `arcctl bootstrap`, `arcctl bootstrap --check`, `arcctl bootstrap unleash --json`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.lifecycle import bootstrap as use_case
    from arcctl.lifecycle import view as show

    request = use_case.Request(words=tuple(names or ()), check=check)
    with ctx.obj.display() as progress:
        report = run(use_case.bootstrap(request, load_project(ctx.obj, progress)))
    (show.bootstrap_json if json_ else show.bootstrap)(report)
    if not report.passed:
        raise typer.Exit(1)
