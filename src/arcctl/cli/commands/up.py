"""`up`: start services."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from arcctl.cli.options import FixedPorts, Progress, Timeout, Verbose, Words


def register(app: typer.Typer) -> None:
    app.command()(up)


def up(
    ctx: typer.Context,
    names: Words = None,
    stack: Annotated[
        bool, typer.Option("--stack", help="All services and your own, not the observability layer alone.")
    ] = False,
    layer: Annotated[str, typer.Option(help="One layer: observability, platform or custom.")] = "",
    wait: Annotated[bool, typer.Option(help="Wait until every service is ready.")] = True,
    timeout: Timeout = 300.0,
    engine: Annotated[str, typer.Option(help="docker, embedded or auto, as before the command.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Only with the images of images.lock.json.")] = False,
    fixed_ports: FixedPorts = False,
    progress: Progress = "",
    verbose: Verbose = False,
) -> None:
    """Start services and what they depend on, and wait until they are ready.

    Examples: `arcctl up`, `arcctl up --stack`, `arcctl up redis unleash`, `arcctl up --stack --progress plain`
    """
    from arcctl.checks.record import record
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project, newest_backup, project_directory
    from arcctl.custom import files as custom
    from arcctl.lifecycle import up as use_case
    from arcctl.lifecycle import view

    chosen = replace(
        ctx.obj,
        engine=engine or ctx.obj.engine,
        engine_typed=bool(engine) or ctx.obj.engine_typed,
        progress=progress or ctx.obj.progress,
        verbose=verbose or ctx.obj.verbose,
    )
    words = (*(names or ()), *((layer,) if layer else ()), *(("all",) if stack else ()))
    request = use_case.Request(
        words=words, wait=wait, timeout=timeout, dry_run=dry_run, locked=locked, fixed_ports=fixed_ports
    )
    if not dry_run:
        custom.refresh(project_directory(chosen))
    with chosen.display() as sink:
        project = load_project(chosen, sink)
        work = partial(use_case.up, request)
        report = run(record("up", project, work, lambda r: r.passed, asked=chosen.telemetry))
    if wait or (report.outcome and report.outcome.failed):
        use_case.raise_for_failed(report, project, newest_backup(project))
    view.up(report, waited=wait)
