"""The one place that prints an error: what happened, then the next command."""

from __future__ import annotations

import json

from arcctl.errors import ArcError
from arcctl.terminal.address import addressed
from arcctl.terminal.console import err, line


def show(error: ArcError) -> None:
    """To a person, on stderr."""
    console = err()
    console.print(f"error: {error.message}", style="red")
    if error.hint:
        console.print(f"hint: {addressed(error.hint)}")


def show_json(schema: str, error: ArcError) -> None:
    """To a program: one document on stdout, also when the command could not begin."""
    body = {"code": error.code, "message": error.message, "hint": addressed(error.hint)}
    line(json.dumps({"schema": schema, "status": "error", "error": body}, indent=2))
