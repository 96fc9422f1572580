"""`support`: what helps somebody else to help."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from arcctl.diagnostics.support import Part
    from arcctl.errors import ArcError
    from arcctl.project import Project

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Diagnostics for somebody who helps you.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="support")


@app.command()
def bundle(
    ctx: typer.Context,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; default: here.")] = None,
) -> None:
    """Pack versions, doctor, health, plan, settings, logs and Compose files into an archive, without any secret.

    Only you can read it. Look through it before you send it: names of hosts and folders are in it.

    Examples: `arcctl support bundle`, `arcctl support bundle --to /tmp/arc.tar.gz`
    """
    from datetime import datetime

    from arcctl.cli.project import load_project
    from arcctl.diagnostics import support as use_case
    from arcctl.diagnostics import view
    from arcctl.diagnostics.clients import evidence
    from arcctl.diagnostics.redaction import Redactor

    problems: list[ArcError] = []
    project = load_project(ctx.obj, problems=problems)
    redact = Redactor(evidence.secret_values(project.directory, project.catalogue, project.environment))
    texts = use_case.gather(_parts(project, problems), redact)
    path = to or Path(f"arcctl-support-{datetime.now():%Y%m%d-%H%M%S}.tar.gz")
    evidence.write_archive(path.resolve(), "arcctl-support", texts)
    view.bundled(path, count=len(texts), missing=use_case.missing(texts))


def _parts(project: Project, problems: list[ArcError]) -> Iterator[Part]:
    from arcctl.diagnostics import support as use_case
    from arcctl.diagnostics.clients import evidence

    yield "doctor.json", partial(_doctor, project, problems)
    yield "health.json", partial(_health, project)
    yield "ps.json", partial(use_case.containers, project)
    yield "plan.txt", partial(use_case.plan, project)
    yield "settings.json", partial(use_case.settings, project)
    yield from evidence.parts(project.engine, project.directory)
    yield from use_case.logs(project)


def _doctor(project: Project, problems: list[ArcError]) -> str:
    from arcctl.cli.project import local_collector, newest_backup
    from arcctl.diagnostics import doctor as use_case
    from arcctl.diagnostics import view

    return (
        view.doctor_json(use_case.diagnose(project, local_collector(project, problems), newest_backup(project))) + "\n"
    )


def _health(project: Project) -> str:
    from arcctl.checks import health as use_case
    from arcctl.checks import view
    from arcctl.cli.interrupts import run

    return view.health_json(run(use_case.health(use_case.Request(), project))) + "\n"
