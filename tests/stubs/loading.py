"""Imports a stub as its image runs it: as a package of its own."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

from tests.testbed.places import IMAGES


def stub(image: str, module: str) -> ModuleType:
    """A module of the stub of an image."""
    name = f"{image}_stub"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, IMAGES / image / "stub" / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
    return importlib.import_module(f"{name}.{module}")
