"""`engine`: the servers that run services without Docker."""

from __future__ import annotations

import typer

from arcctl.cli.asking import agreed
from arcctl.cli.options import Json, Words, Yes

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Servers for machines without Docker.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="engine")


@app.command("list")
def list_(ctx: typer.Context, names: Words = None, json_: Json = False) -> None:
    """Show which servers are built, which can be built here and how long that takes, and which cannot.

    Examples: `arcctl engine list`, `arcctl engine list --json`
    """
    from arcctl.cli.project import local_servers
    from arcctl.engines.build import list_servers
    from arcctl.engines.view import servers

    servers(list_servers(tuple(names or ()), *local_servers(ctx.obj)), as_json=json_)


@app.command()
def build(ctx: typer.Context, names: Words = None) -> None:
    """Build the servers of these services and of what they need. An interrupted build continues where it stopped.

    Examples: `arcctl engine build`, `arcctl engine build loki unleash`
    """
    from arcctl.cli.project import local_servers
    from arcctl.engines import build as use_case
    from arcctl.terminal import console as terminal

    with ctx.obj.display() as progress:
        built = use_case.build(tuple(names or ()), *local_servers(ctx.obj), progress)
    terminal.say(f"built: {', '.join(built)}" if built else "every server is built", style="green")
    terminal.say("next: arcctl down, then arcctl --engine embedded up")


@app.command()
def clean(ctx: typer.Context, yes: Yes = False) -> None:
    """Remove every server that was built, for all projects of this user. Data is kept.

    Example: `arcctl engine clean --yes`
    """
    from arcctl.cli.project import load_project, local_servers
    from arcctl.engines import build as use_case
    from arcctl.engines.select import EMBEDDED
    from arcctl.errors import UsageError
    from arcctl.terminal import console as terminal

    project = load_project(ctx.obj)
    if project.directory.engine() == EMBEDDED:
        raise UsageError("this project is running on these servers", hint="arcctl down, then arcctl engine clean")
    _, servers = local_servers(ctx.obj)
    use_case.refuse_used(servers)
    terminal.say(f"servers that were built: {terminal.size(servers.size())}")
    if agreed("Remove all of them?", yes=yes, command="arcctl engine clean", what="remove them"):
        use_case.clean(servers)
        terminal.say("removed; `arcctl up` and `arcctl engine build` build them again")
