"""`version`: the version of arcctl."""

from __future__ import annotations

import sys

import typer


def register(app: typer.Typer) -> None:
    app.command()(version)


def version() -> None:
    """The version of arcctl.

    Example: `arcctl version`
    """
    from importlib.metadata import version as installed

    sys.stdout.write(f"arcctl {installed('arcctl')}\n")
