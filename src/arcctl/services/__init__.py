"""The built-in services. One module each, found by file name, each holding one typed `SERVICE`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arcctl.model.service import Catalogue


def names() -> tuple[str, ...]:
    """The ids of all services, read from file names: no declaration is imported."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.ispkg))


def load() -> Catalogue:
    """All declarations."""
    from arcctl.model.service import Catalogue

    return Catalogue({name: _module(name).SERVICE for name in names()})


def summary(name: str) -> str:
    """What a service is for, in one line: the first of its module's docstring."""
    return (_module(name).__doc__ or "").partition("\n")[0]


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name.replace('-', '_')}")
