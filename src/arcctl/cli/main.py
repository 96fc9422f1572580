"""The command `arcctl`: global options, the commands, and what an error becomes."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import arcctl
from arcctl.cli import commands
from arcctl.cli.globals import Globals
from arcctl.cli.options import PROGRESS_HELP, Verbose, known_progress
from arcctl.errors import ArcError
from arcctl.settings import environment
from arcctl.terminal import streams

INTERRUPTED, READER_GONE = 130, 141
YOUNG_OBJECTS = 50_000
"""New objects after which Python looks for garbage: loading modules makes many, and they stay."""


class Program(TyperGroup):
    """Loads the command that is called and no other. A foreseen error becomes a message, a hint and an exit code."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            self.commands = {**self.commands, **_commands(cmd_name)}
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        self.commands = _commands()
        return super().list_commands(ctx)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ArcError as error:
            from arcctl.terminal import errors

            errors.show(error)
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            from arcctl.settings.text import refused
            from arcctl.terminal import errors

            told = refused(error)
            if told is None and isinstance(error, BrokenPipeError):  # of a server: the library would end without a word
                raise RuntimeError(f"not foreseen: {error}") from error
            if told is None:
                raise
            errors.show(told)
            raise typer.Exit(told.exit_code) from None
        except KeyboardInterrupt:
            from arcctl.terminal import console as terminal

            terminal.say("interrupted; to continue, run the same command again")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Run and check a local platform for AI agents.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from arcctl.cli.commands.version import version

        version()
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    project_directory: Annotated[
        str,
        typer.Option(
            "--project-directory",
            envvar="ARCCTL_PROJECT_DIRECTORY",
            help="Default: the current folder, or the nearest project above it.",
        ),
    ] = "",
    project_name: Annotated[
        str,
        typer.Option(
            "--project-name",
            "-p",
            envvar="ARCCTL_PROJECT_NAME",
            help="The project with this name, wherever it is; for a new one, its name.",
        ),
    ] = "",
    engine: Annotated[
        str,
        typer.Option(envvar="ARCCTL_ENGINE", help="docker, embedded (local processes), or auto: docker if it answers."),
    ] = "auto",
    bind_address: Annotated[
        str,
        typer.Option(envvar="ARCCTL_BIND_ADDRESS", metavar="ADDRESS", help="Publish ports there; up keeps it."),
    ] = "",
    insecure_demo: Annotated[bool, typer.Option(help="Allow the example passwords.")] = False,
    telemetry: Annotated[
        bool,
        typer.Option("--telemetry", envvar="ARCCTL_TELEMETRY", help="up, health, verify send a trace of themselves."),
    ] = False,
    progress: Annotated[
        str,
        typer.Option(envvar="ARCCTL_PROGRESS", metavar="MODE", help=PROGRESS_HELP, callback=known_progress),
    ] = "auto",
    verbose: Verbose = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    ctx.obj = Globals(
        directory=project_directory,
        project_name=project_name,
        insecure_demo=insecure_demo,
        engine=engine,
        bind_address=bind_address,
        engine_typed=getattr(ctx.get_parameter_source("engine"), "name", "") == "COMMANDLINE",
        telemetry=telemetry,
        progress=progress,
        verbose=verbose,
    )


def _commands(name: str = "") -> dict[str, Any]:
    """Those of the module with this name; all where there is none. A new command is a new module of `commands`."""
    modules = [found.name for found in pkgutil.iter_modules(commands.__path__)]
    part = typer.Typer(rich_markup_mode=None)
    for module in [name] if name in modules else modules:
        importlib.import_module(f"{commands.__name__}.{module}").register(part)
    return dict(typer.main.get_group(part).commands)


def main() -> None:
    gc.set_threshold(YOUNG_OBJECTS)
    streams.prepare()
    environment.leave_python_path(arcctl.__file__, typer.__file__)
    try:
        _run()
    except streams.ReaderGone:
        sys.exit(READER_GONE)
    except ArcError as error:  # of what is written before a command begins, or at its end
        from arcctl.terminal import errors

        errors.show(error)
        sys.exit(error.exit_code)


def _run() -> None:
    try:
        app()
    except SystemExit:
        sys.stdout.flush()
        raise
