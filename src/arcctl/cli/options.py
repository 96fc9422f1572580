"""Options and arguments that several commands share, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcctl.errors import UsageError

if TYPE_CHECKING:
    from arcctl.model.env import ServiceEnv
    from arcctl.model.service import Service


PROGRESS = ("auto", "live", "plain", "json", "quiet")
PROGRESS_HELP = f"{', '.join(PROGRESS[:-1])} or {PROGRESS[-1]}."


def known_progress(mode: str) -> str:
    """Raises UsageError for an unknown mode."""
    if mode and mode not in PROGRESS:
        raise UsageError(f"unknown progress {mode!r}", hint=f"one of {', '.join(PROGRESS)}")
    return mode


def complete_progress(incomplete: str) -> list[str]:
    """How progress is shown."""
    return [mode for mode in PROGRESS if mode.startswith(incomplete)]


def complete_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """Service names, layers and `all`, read from file names."""
    from arcctl.cli import completion

    return [word for word in completion.words(ctx) if word.startswith(incomplete)]


def complete_containers(ctx: typer.Context, incomplete: str) -> list[str]:
    """The same, and components by their own name."""
    from arcctl.cli import completion

    words = {*completion.words(ctx), *completion.catalogue(ctx).components()}
    return sorted(word for word in words if word.startswith(incomplete))


def complete_projects(incomplete: str) -> list[str]:
    """The projects of this machine."""
    from arcctl.settings.known_projects import known

    return [entry.name for entry in known() if entry.name.startswith(incomplete)]


def complete_custom(ctx: typer.Context, incomplete: str) -> list[str]:
    """Custom services."""
    from arcctl.cli import completion

    return [word for word in completion.custom_names(ctx) if word.startswith(incomplete)]


def complete_shells(ctx: typer.Context, incomplete: str) -> list[str]:
    """The services that a person can talk to."""
    return _services_with(lambda service, env: service.network.shells(env), ctx, incomplete)


def complete_pages(ctx: typer.Context, incomplete: str) -> list[str]:
    """The services that have a page for a browser."""
    return _services_with(
        lambda service, env: [endpoint for endpoint in service.network.endpoints(env) if endpoint.is_web_page],
        ctx,
        incomplete,
    )


def _services_with(
    have: Callable[[Service[Any], ServiceEnv], object], ctx: typer.Context, incomplete: str
) -> list[str]:
    from arcctl.cli import completion
    from arcctl.model.env import symbolic

    known = completion.catalogue(ctx).services
    return [i for i, s in known.items() if i.startswith(incomplete) and have(s, symbolic(s.env))]


Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAMES", help="Services, a layer, or all.", autocompletion=complete_words),
]
Containers = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAMES", help="Services, components, a layer, or all.", autocompletion=complete_containers),
]
Unavailable = Annotated[bool, typer.Option("--all", help="Each service that cannot run here too, with the reason.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Summary = Annotated[Path | None, typer.Option(metavar="FILE", help="Append a table in Markdown to it.")]
FixedPorts = Annotated[
    bool, typer.Option("--fixed-ports", help="Choose no free ports: refuse one that another project or program has.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds to wait for everything to be ready.")]
Progress = Annotated[
    str,
    typer.Option(metavar="MODE", help=PROGRESS_HELP, callback=known_progress, autocompletion=complete_progress),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the components of services and each step too.")]
