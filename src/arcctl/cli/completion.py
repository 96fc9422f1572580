"""What a shell offers for a word that was begun: read from file names, without declarations or settings."""

from __future__ import annotations

from pathlib import Path

import typer

from arcctl import services
from arcctl.errors import ArcError
from arcctl.runtime import place


def words(context: typer.Context) -> tuple[str, ...]:
    """Services, layers and `all`."""
    return (*services.names(), *own(context), "observability", "platform", "own", "all")


def own(context: typer.Context) -> tuple[str, ...]:
    """The user's own services in the home that the command line names, or in the one around here."""
    named = str(context.find_root().params.get("home_folder") or "")
    try:
        return place.own_names(place.find(Path.cwd(), named))
    except (ArcError, OSError):
        return ()
