"""`restart`: restart services."""

from __future__ import annotations

import typer

from arcctl.cli.options import Containers


def register(app: typer.Typer) -> None:
    app.command()(restart)


def restart(ctx: typer.Context, names: Containers = None) -> None:
    """Restart services or components that exist, and wait until they are ready.

    Examples: `arcctl restart`, `arcctl restart loki`, `arcctl restart redis-exporter`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project, newest_backup
    from arcctl.lifecycle import restart as use_case
    from arcctl.lifecycle import view
    from arcctl.lifecycle.up import raise_for_failed

    with ctx.obj.display() as sink:
        project = load_project(ctx.obj, sink)
        report = run(use_case.restart(tuple(names or ()), project))
    if report.up:
        raise_for_failed(report.up, project, newest_backup(project))
    view.restart(report)
