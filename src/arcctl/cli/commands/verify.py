"""`verify`: run the smoke tests."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from arcctl.cli.options import Json, Summary, Unavailable, Words


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    ctx: typer.Context,
    names: Words = None,
    all_: Unavailable = False,
    json_: Json = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.")] = None,
    summary: Summary = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one smoke test may take.")] = 30.0,
) -> None:
    """Run the smoke tests: each service writes, reads back and removes test data. Safe while others use it.

    Examples: `arcctl verify`, `arcctl verify postgres nats`, `arcctl verify all --json`
    """
    from arcctl.checks import verify as use_case
    from arcctl.checks import view
    from arcctl.checks.record import record
    from arcctl.cli import report_files
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project
    from arcctl.terminal import console as terminal

    request = use_case.Request(words=tuple(names or ()), timeout=timeout)
    with ctx.obj.display() as progress:
        project = load_project(ctx.obj, progress)
        report = run(
            record("verify", project, partial(use_case.verify, request), lambda r: r.passed, asked=ctx.obj.telemetry)
        )
    left_out = () if all_ else report.skipped(project.engine.unavailable, request.words)
    if json_:
        terminal.line(view.verify_json(report))
    else:
        view.show_verify(report, left_out)
    if junit:
        report_files.write(junit, view.verify_junit(report))
    if summary:
        report_files.append(summary, view.verify_markdown(report, left_out))
    if not report.passed:
        raise typer.Exit(1)
