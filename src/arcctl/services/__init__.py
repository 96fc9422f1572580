"""Declares. One module per service, discovered by file name, each holding one typed `SERVICE`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arcctl.core.model import Catalogue
    from arcctl.core.own import Own


def names() -> tuple[str, ...]:
    """The ids of all services, read from file names: no declaration is imported."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if m.name[0] != "_"))


def load(own: Mapping[str, Own] | None = None) -> Catalogue:
    """All declarations, with those that a user's own files make.

    Raises SettingsError for a file that does not fit.
    """
    from arcctl.core.model import Catalogue

    modules = {name: import_module(f"{__name__}.{name.replace('-', '_')}") for name in names()}
    found = {name: module.SERVICE for name, module in modules.items()}
    if own:
        from arcctl.services._own import declare

        found |= declare(own, found)
    return Catalogue(dict(sorted(found.items())))
