"""Commands about the home and about arcctl itself: init, render, doctor, schema, compose, version."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

schema = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="JSON Schemas of what `--json` prints.")

ANY = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    for command in (init, render, doctor, version):
        app.command()(command)
    app.command(context_settings={**ANY, "help_option_names": []})(compose)
    app.add_typer(schema, name="schema")


def init(ctx: typer.Context) -> None:
    """Make a home here: its files, and secrets that only you can read.

    Examples: `arcctl init`, `arcctl --home ~/arc init`
    """
    from arcctl.app import init as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    wiring.new_home(ctx.obj)
    result = use_case.run(wiring.world(ctx.obj))
    made = f"{len(result.generated)} secrets generated" if result.generated else "all secrets were there"
    terminal.say(f"home {result.home}: {made}")
    terminal.say("next: arcctl up")


def render(
    ctx: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit code 1 when a file differs.")] = False,
) -> None:
    """Write the Compose files and `.env.example` files from the declarations.

    Examples: `arcctl render`, `arcctl render --check`
    """
    from arcctl import services
    from arcctl.app import render as use_case
    from arcctl.cli import wiring
    from arcctl.errors import UnhealthyError
    from arcctl.ui import terminal
    from arcctl.ui.files import dump

    root = wiring.home_root(ctx.obj)
    rendered = use_case.run(services.load(), dump)
    stale = use_case.stale(rendered, lambda path: wiring.read(root, path))
    if check and stale:
        raise UnhealthyError(f"not as the declarations say: {', '.join(map(str, stale))}", hint="arcctl render")
    if not check:
        wiring.write(root, {path: rendered[path] for path in stale})
    terminal.say(f"{len(rendered)} files, {len(stale)} rewritten")


def doctor(ctx: typer.Context) -> None:
    """Look for what usually goes wrong on a machine, with evidence and cure.

    Example: `arcctl doctor`
    """
    from arcctl.app import doctor as use_case
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    findings = use_case.run(wiring.world(ctx.obj))
    mark = {True: ("✔ ok", "green"), False: ("✘ look", "red")}
    cells = [(f.name, mark[f.ok], f.evidence, "" if f.ok else f.cure) for f in findings]
    terminal.table(("POINT", "STATE", "EVIDENCE", "CURE"), cells)
    if not all(f.ok for f in findings):
        raise typer.Exit(1)


@schema.command("health")
def health_schema() -> None:
    """The contract of `arcctl health --json`."""
    from importlib.resources import files

    sys.stdout.write(files("arcctl").joinpath("schemas/health.v1.json").read_text())


def compose(ctx: typer.Context) -> None:
    """Docker Compose on the files of this home, with any arguments.

    Example: `arcctl compose top`
    """
    from arcctl.cli import wiring

    raise typer.Exit(wiring.pass_through((*wiring.world(ctx.obj).engine.command(), *ctx.args)))


def version() -> None:
    """The version of arcctl."""
    from importlib.metadata import version as installed

    sys.stdout.write(f"arcctl {installed('arcctl')}\n")
