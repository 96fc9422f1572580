"""Options and arguments that several commands share, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True)
class Globals:
    """What stands before the command's name."""

    home: str = ""
    insecure_demo: bool = False
    engine: str = "auto"
    telemetry: bool = False


def complete_words(incomplete: str) -> list[str]:
    """Service names, layers and `all`, read from file names."""
    from arcctl import services

    words = (*services.names(), "observability", "platform", "all")
    return [word for word in words if word.startswith(incomplete)]


Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAMES", help="Services, a layer, or all.", autocompletion=complete_words),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Summary = Annotated[Path | None, typer.Option(metavar="FILE", help="Append a table in Markdown to it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds to wait for everything to be ready.")]
