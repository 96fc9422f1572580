"""`greet`: a command as small as one can be."""

from __future__ import annotations

import typer


def register(parent: typer.Typer) -> None:
    parent.command()(greet)


def greet(name: str) -> None:
    """Greet somebody by name.

    Examples: `arcctl greet world`
    """
    typer.echo(f"hello {name}")
