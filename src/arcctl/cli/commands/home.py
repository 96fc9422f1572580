"""Commands about the home and about arcctl itself: init, render, doctor, schema, compose, version."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from arcctl.cli.options import Json

ANY = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    for command in (init, render, doctor, schema, version):
        app.command()(command)
    app.command(context_settings={**ANY, "help_option_names": []})(compose)


def init(ctx: typer.Context) -> None:
    """Make a home here: its files, and secrets that only you can read. What is there already stays as it is.

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
    from arcctl.app import render as use_case
    from arcctl.cli import wiring
    from arcctl.errors import UnhealthyError
    from arcctl.ui import terminal
    from arcctl.ui.files import dump

    root = wiring.home_root(ctx.obj)
    rendered = use_case.run(wiring.catalogue(ctx.obj), dump)
    stale = use_case.stale(rendered, lambda path: wiring.read(root, path))
    if check and stale:
        raise UnhealthyError(f"not as the declarations say: {', '.join(map(str, stale))}", hint="arcctl render")
    if not check:
        wiring.write(root, {path: rendered[path] for path in stale})
    terminal.say(f"{sum(map(bool, rendered.values()))} files, {len(stale)} rewritten")


def doctor(
    ctx: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Do what is safe: modes, links, leftovers. Never data.")] = False,
    json_: Json = False,
) -> None:
    """Look for what usually goes wrong on a machine, with evidence and cure. Exit code 1 where there is a problem.

    Examples: `arcctl doctor`, `arcctl doctor --fix`, `arcctl doctor --json`
    """
    from arcctl.app import doctor as use_case
    from arcctl.cli import wiring
    from arcctl.ui import doctor as show
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    examiner = wiring.examiner(world)
    report = (use_case.fix if fix else use_case.run)(world, examiner)
    for text in report.mended:
        terminal.say(f"fixed: {text}", style="green")
    (show.show_json if json_ else show.show)(report)
    if not report.passed:
        raise typer.Exit(1)


def _documents() -> dict[str, str]:
    """The text of each schema of the package, by the command whose output it describes."""
    from importlib.resources import files

    folder = files("arcctl").joinpath("schemas")
    return {path.name.split(".")[0]: path.read_text() for path in sorted(folder.iterdir(), key=lambda p: p.name)}


def complete_documents(incomplete: str) -> list[str]:
    return [name for name in _documents() if name.startswith(incomplete)]


def schema(
    name: Annotated[
        str, typer.Argument(metavar="COMMAND", help="health, verify, …", autocompletion=complete_documents)
    ] = "",
) -> None:
    """The JSON Schema of what a command prints with `--json`; without a name, the commands that have one.

    Examples: `arcctl schema`, `arcctl schema health`
    """
    from arcctl.errors import UsageError

    known = _documents()
    if name and name not in known:
        raise UsageError(f"no schema of {name!r}", hint=f"one of {', '.join(known)}")
    sys.stdout.write(known[name] if name else "".join(f"{each}\n" for each in known))


def compose(ctx: typer.Context) -> None:
    """Docker Compose on the files of this home, with any arguments.

    Example: `arcctl compose top`
    """
    from arcctl.cli import wiring

    raise typer.Exit(wiring.pass_through((*wiring.world(ctx.obj).engine.command(), *ctx.args)))


def version() -> None:
    """The version of arcctl.

    Example: `arcctl version`
    """
    from importlib.metadata import version as installed

    sys.stdout.write(f"arcctl {installed('arcctl')}\n")
