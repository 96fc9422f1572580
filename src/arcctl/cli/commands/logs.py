"""`logs`: logs of services and components, and of every program that sends its logs to the platform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.options import complete_containers
from arcctl.errors import UsageError

if TYPE_CHECKING:
    from arcctl.checks.logs import Request
    from arcctl.project import Project


def register(app: typer.Typer) -> None:
    app.command()(logs)


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAMES",
        help="Services, components, a layer, all, or the service.name of a program that sends telemetry.",
        autocompletion=complete_containers,
    ),
]

ALL = "all"


def number_of_lines(text: str) -> str:
    """Raises UsageError for what is neither a number of lines nor `all`."""
    if text != ALL and not re.fullmatch("[0-9]{1,9}", text):
        raise UsageError(f"--tail {text}: neither a number of lines nor {ALL}", hint="arcctl logs --tail 100")
    return text


Tail = Annotated[
    str,
    typer.Option(metavar="NUMBER|all", callback=number_of_lines, help="Only so many last lines of each container."),
]


def logs(
    ctx: typer.Context,
    names: Names = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new lines come.")] = False,
    since: Annotated[str, typer.Option(help="Only lines since then: 10m, 2026-01-31T10:00:00Z.")] = "",
    tail: Tail = ALL,
) -> None:
    """Logs of services and components, and of your own programs that send theirs to the platform.

    Examples: `arcctl logs loki`, `arcctl logs kratos kratos-migrate --since 10m`, `arcctl logs -f`
    """
    from arcctl.checks.logs import Request
    from arcctl.cli.project import load_project
    from arcctl.model.graph import containers, reserved
    from arcctl.project import refuse_other_project
    from arcctl.terminal import console as terminal

    most = None if tail == ALL else int(tail)
    project = load_project(ctx.obj)
    words = tuple(names or ("all",))
    programs = tuple(word for word in words if word not in reserved(project.catalogue))
    ours = tuple(word for word in words if word not in programs)
    if follow and ours and programs:
        raise UsageError(
            f"{', '.join(programs)} cannot be followed together with {', '.join(ours)}",
            hint=f"arcctl logs -f {' '.join(programs)}",
        )
    if ours:
        observed = project.engine.observe()
        refuse_other_project(observed, project)
        keys = [k for k in containers(ours, project.catalogue) if k in observed.containers]
        if not keys:
            terminal.say("none of these containers exists; to see which do: arcctl ps")
        else:
            shown = "" if most is None else str(most)
            for text in project.engine.logs(keys, follow=follow, since=since, tail=shown):
                terminal.line(text)
    if programs:
        _show(Request(programs, follow=follow, since=since, tail=most), project)


def _show(request: Request, project: Project) -> None:
    from arcctl.checks import logs as use_case
    from arcctl.checks.logs_report import shown
    from arcctl.cli.interrupts import run
    from arcctl.terminal import console as terminal

    async def show() -> None:
        async for line in use_case.logs(request, project):
            terminal.line(shown(line))

    run(show())
