"""What a shell offers for a word that was begun: read from file names, and from declarations only where it must be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arcctl import services
from arcctl.cli.options import begun
from arcctl.errors import ArcError
from arcctl.runtime import place

if TYPE_CHECKING:
    from arcctl.core.model import Catalogue


def words(context: typer.Context) -> tuple[str, ...]:
    """Services, layers and `all`."""
    return (*services.names(), *own(context), "observability", "platform", "own", "all")


def own(context: typer.Context) -> tuple[str, ...]:
    """The user's own services in the home that the command line names, or in the one around here."""
    try:
        return place.own_names(place.find(Path.cwd(), begun(context).home))
    except (ArcError, OSError):
        return ()


def catalogue(context: typer.Context) -> Catalogue:
    """All services of that home; the built-in ones alone where it cannot be read."""
    from arcctl.cli import wiring

    try:
        return wiring.catalogue(begun(context))
    except (ArcError, OSError):
        return services.load()
