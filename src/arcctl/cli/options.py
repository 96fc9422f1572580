"""Options and arguments that several commands share, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from arcctl.core.env import ServiceEnv
    from arcctl.core.model import Service


@dataclass(frozen=True)
class Globals:
    """What stands before the command's name."""

    home: str = ""
    insecure_demo: bool = False
    engine: str = "auto"
    telemetry: bool = False


def begun(ctx: typer.Context) -> Globals:
    """The options of a line that is being typed: nothing has run yet that would have kept them."""
    said = ctx.find_root().params
    return Globals(home=said.get("home_folder") or "", engine=said.get("engine") or "auto")


def complete_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """Service names, layers and `all`, read from file names."""
    from arcctl.cli import completion

    return [word for word in completion.words(ctx) if word.startswith(incomplete)]


def complete_own(ctx: typer.Context, incomplete: str) -> list[str]:
    """The user's own services."""
    from arcctl.cli import completion

    return [word for word in completion.own(ctx) if word.startswith(incomplete)]


def complete_shells(ctx: typer.Context, incomplete: str) -> list[str]:
    """The services that a person can talk to."""
    return _those(lambda service, env: service.shells(env), ctx, incomplete)


def complete_pages(ctx: typer.Context, incomplete: str) -> list[str]:
    """The services that have a page for a browser."""
    return _those(lambda service, env: [link for link in service.links(env) if link.page], ctx, incomplete)


def _those(have: Callable[[Service[Any], ServiceEnv], object], ctx: typer.Context, incomplete: str) -> list[str]:
    from arcctl.cli import completion
    from arcctl.core.env import symbolic

    known = completion.catalogue(ctx).services
    return [i for i, s in known.items() if i.startswith(incomplete) and have(s, symbolic(s.env))]


Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAMES", help="Services, a layer, or all.", autocompletion=complete_words),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Summary = Annotated[Path | None, typer.Option(metavar="FILE", help="Append a table in Markdown to it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds to wait for everything to be ready.")]
