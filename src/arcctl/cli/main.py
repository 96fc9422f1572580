"""The command `arcctl`: global options, the list of commands, and what an error becomes."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from arcctl.cli.commands import backup as backups
from arcctl.cli.commands import (
    config,
    connect,
    db,
    flags,
    home,
    images,
    look,
    own,
    prove,
    run,
    secrets,
    support,
    topics,
    upgrade,
)
from arcctl.cli.commands import engine as engines
from arcctl.cli.options import Globals
from arcctl.errors import ArcError

INTERRUPTED = 130


class Reporting(TyperGroup):
    """Foreseen errors become a message, a hint and an exit code; all others keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ArcError as error:
            from arcctl.ui import errors

            errors.show(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            from arcctl.ui import terminal

            terminal.say("interrupted: the same command goes on where it was; `arcctl down` stops what was started")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    cls=Reporting,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A platform in a box: fourteen services, one command, proof that each works.",
)


def _version(wanted: bool) -> None:
    if wanted:
        home.version()
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    home_folder: Annotated[str, typer.Option("--home", envvar="ARCCTL_HOME", help="Folder of the platform.")] = "",
    engine: Annotated[
        str,
        typer.Option(envvar="ARCCTL_ENGINE", help="docker, embedded (local processes), or auto: docker if it answers."),
    ] = "auto",
    insecure_demo: Annotated[bool, typer.Option(help="Accept passwords that everybody knows.")] = False,
    telemetry: Annotated[
        bool,
        typer.Option("--telemetry", envvar="ARCCTL_TELEMETRY", help="up, health, verify send a trace of themselves."),
    ] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    ctx.obj = Globals(home=home_folder, insecure_demo=insecure_demo, engine=engine, telemetry=telemetry)


for module in (
    run,
    look,
    prove,
    connect,
    home,
    db,
    topics,
    flags,
    own,
    support,
    config,
    backups,
    images,
    upgrade,
    secrets,
    engines,
):
    module.register(app)


def main() -> None:
    app()
