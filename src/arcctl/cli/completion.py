"""Completion of names: from file names where possible, else from declarations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arcctl import services
from arcctl.cli.globals import typed_options
from arcctl.errors import ArcError
from arcctl.settings import location

if TYPE_CHECKING:
    from arcctl.cli.globals import Globals
    from arcctl.model.service import Catalogue


def words(context: typer.Context) -> tuple[str, ...]:
    """Services, layers and `all`."""
    return (*services.names(), *custom_names(context), "observability", "platform", "custom", "all")


def custom_names(context: typer.Context) -> tuple[str, ...]:
    """The custom services of the project that the command line names, or of the one in the current folder."""
    options = typed_options(context)
    try:
        return location.custom_names(_root(options))
    except (ArcError, OSError):
        return ()


def _root(options: Globals) -> Path:
    if not options.project_name:
        return location.find(Path.cwd(), options.directory)
    from arcctl.settings.identity import find_root

    return find_root(Path.cwd(), options.directory, options.project_name)


def catalogue(context: typer.Context) -> Catalogue:
    """All services of that project; the built-in ones alone where it cannot be read."""
    from arcctl.cli.project import load_catalogue

    try:
        return load_catalogue(typed_options(context))
    except (ArcError, OSError):
        return services.load()
