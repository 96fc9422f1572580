"""`logs`: logs of services and components."""

from __future__ import annotations

from typing import Annotated

import typer

from arcctl.cli.options import Containers


def register(app: typer.Typer) -> None:
    app.command()(logs)


def logs(
    ctx: typer.Context,
    names: Containers = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new lines come.")] = False,
    since: Annotated[str, typer.Option(help="Only lines since then: 10m, 2026-01-31T10:00:00Z.")] = "",
    tail: Annotated[str, typer.Option(help="Only so many last lines of each container.")] = "",
) -> None:
    """Logs of services and components.

    Examples: `arcctl logs loki`, `arcctl logs kratos kratos-migrate --since 10m`, `arcctl logs -f`
    """
    from arcctl.cli.project import load_project
    from arcctl.model.graph import containers
    from arcctl.terminal import console as terminal

    project = load_project(ctx.obj)
    observed = project.engine.observe()
    keys = [k for k in containers(names or ("all",), project.catalogue) if k in observed.containers]
    if not keys:
        terminal.say("none of these containers exists; to see which do: arcctl ps")
        return
    for text in project.engine.logs(keys, follow=follow, since=since, tail=tail):
        terminal.line(text)
