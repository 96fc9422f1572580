"""`doctor`: find common problems."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import Json


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    ctx: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Repair file modes, links and leftovers. Never data.")] = False,
    json_: Json = False,
) -> None:
    """Find common problems of the machine, the engine and the project, with their fixes. Exit code 1 for a problem.

    Examples: `arcctl doctor`, `arcctl doctor --fix`, `arcctl doctor --json`
    """
    from arcctl.cli.project import load_project, local_collector, newest_backup
    from arcctl.diagnostics import doctor as use_case
    from arcctl.diagnostics import view
    from arcctl.errors import ArcError
    from arcctl.terminal import console as terminal

    problems: list[ArcError] = []
    project = load_project(ctx.obj, problems=problems)
    work = use_case.fix if fix else use_case.diagnose
    report = work(project, local_collector(project, problems), newest_backup(project))
    view.show_repaired(report)
    if json_:
        terminal.line(view.doctor_json(report))
    else:
        view.show_doctor(report)
    if not report.passed:
        raise typer.Exit(1)
