"""`schema`: JSON Schemas of what commands print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(schema)


def _documents() -> dict[str, str]:
    """The text of each schema of the package, by the command whose output it describes."""
    from importlib.resources import files

    folder = files("arcctl").joinpath("schemas")
    return {
        path.name.split(".")[0]: path.read_text(encoding="utf-8")
        for path in sorted(folder.iterdir(), key=lambda p: p.name)
    }


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
