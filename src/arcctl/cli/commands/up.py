"""`up`: start services."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.options import FixedPorts, Progress, Timeout, Verbose, Words, complete_projects

if TYPE_CHECKING:
    from arcctl.cli.globals import Globals
    from arcctl.project import Project


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
    seed_from: Annotated[
        str,
        typer.Option(metavar="NAME", help="First get the data of another project.", autocompletion=complete_projects),
    ] = "",
    key: Annotated[
        str, typer.Option("--key", metavar="FILE", help="What opens its backup, where that is not its passphrase.")
    ] = "",
    progress: Progress = "",
    verbose: Verbose = False,
) -> None:
    """Start services and what they depend on, and wait until they are ready.

    With --seed-from it starts with the data of another project, and with the secrets that data was written with: from
    the newest backup of that project, else by copying its volumes while it is down.

    Examples: `arcctl up`, `arcctl up --stack`, `arcctl up redis unleash`, `arcctl up --stack --progress plain`
    """
    from arcctl.checks.record import record
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project, newest_backup, project_directory
    from arcctl.custom import files as custom
    from arcctl.errors import UsageError
    from arcctl.lifecycle import up as use_case
    from arcctl.lifecycle import view

    chosen = replace(
        ctx.obj,
        engine=engine or ctx.obj.engine,
        engine_typed=bool(engine) or ctx.obj.engine_typed,
        progress=progress or ctx.obj.progress,
        verbose=verbose or ctx.obj.verbose,
    )
    if key and not seed_from:
        raise UsageError("--key opens the backup of another project", hint="name that project: --seed-from NAME")
    words = (*(names or ()), *((layer,) if layer else ()), *(("all",) if stack else ()))
    request = use_case.Request(
        words=words, wait=wait, timeout=timeout, dry_run=dry_run, locked=locked, fixed_ports=fixed_ports
    )
    if not dry_run:
        custom.refresh(project_directory(chosen))
    with chosen.display() as sink:
        project = load_project(chosen, sink)
        if seed_from:
            project = _seed(seed_from, key, chosen, project, dry_run=dry_run)
        work = partial(use_case.up, request)
        report = run(record("up", project, work, lambda r: r.passed, asked=chosen.telemetry))
    if wait or (report.outcome and report.outcome.failed):
        use_case.raise_for_failed(report, project, newest_backup(project))
    view.up(report, waited=wait)


def _seed(name: str, key: str, options: Globals, project: Project, *, dry_run: bool) -> Project:
    """The project with the data of another one."""
    from arcctl.backup import seed as use_case
    from arcctl.backup import view
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import backup_tools, load_project, other_project
    from arcctl.errors import UsageError

    if name == project.name:
        raise UsageError(f"{name} is this project", hint="arcctl projects")

    def again() -> Project:
        return replace(load_project(options), sink=project.sink)

    other, request = other_project(options, name, project.sink), use_case.Seed(key_file=key)
    if dry_run:
        view.seed_planned(use_case.preview(request, project, other, backup_tools))
        return project
    seeded, report = run(use_case.seed(request, project, other, backup_tools, again))
    view.seeded(report)
    return seeded
