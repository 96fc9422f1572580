"""Checks command lines with the parser of the program, for texts that show commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from arcctl.cli.main import app

ANSWERED_AT_ONCE = {"--help", "--version", "--install-completion", "--show-completion"}
"""Options that end the program before the rest of the line is looked at."""
INCOMPLETE = {"MissingParameter", "NoArgsIsHelpError"}
"""What the parser raises for a line that ends too early."""


class NoSuchCommand(Exception):
    """The line names no command."""


def parse(words: Sequence[str], *, whole: bool = True) -> Any:
    """The context of the command that a line calls, parsed as far as a call is before it does anything.

    Raises what is wrong with the line; unless it is `whole`, arguments may be missing at its end.
    """
    whole = whole and not ANSWERED_AT_ONCE & set(words)
    rest = [word for word in words if word not in ANSWERED_AT_ONCE]
    command: Any = typer.main.get_command(app)
    name, context = "arcctl", None
    while True:
        try:
            context = command.make_context(name, list(rest), parent=context)
        except Exception as error:
            if whole or type(error).__name__ not in INCOMPLETE:
                raise
            return context
        if not hasattr(command, "commands"):
            return context
        rest = [*context._protected_args, *context.args]
        if not rest and not whole:
            return context
        if not rest:
            raise NoSuchCommand(f"{context.command_path} needs a command")
        name, *rest = rest
        command = command.get_command(context, name)
        if command is None:
            raise NoSuchCommand(f"{context.command_path} has no command {name}")
