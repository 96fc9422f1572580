"""Every library that a program imports is one that it declares, and not only one that another library brings along."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
OPTIONAL = "embedded"
"""The extra whose libraries only the embedded engine imports."""
MODULES = {"opentelemetry": "opentelemetry-sdk", "starlette": "starlette", "uvicorn": "uvicorn"}
"""Distributions of the sample application, which are not installed where these tests run."""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(source: Path) -> set[str]:
    """The top-level names of all modules that are imported, wherever in a file."""
    found = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names)


def _declared(project: Path) -> set[str]:
    document = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    listed = [*document["dependencies"], *document.get("optional-dependencies", {}).get(OPTIONAL, ())]
    return {_normal(Requirement(text).name) for text in listed}


def _undeclared(imported: set[str], declared: set[str]) -> list[str]:
    brought = packages_distributions()
    return sorted(
        module
        for module in imported
        if not declared & {_normal(name) for name in (*brought.get(module, ()), MODULES.get(module, module))}
    )


@pytest.mark.parametrize(
    ("project", "package"), [(ROOT, "src/arcctl"), (ROOT / "apps" / "swiss_army_py", "src/swiss_army")]
)
def test_every_import_is_declared(project: Path, package: str) -> None:
    imported = _imported(project / package) - {Path(package).name}
    assert _undeclared(imported, _declared(project)) == []


def test_an_import_that_is_not_declared_is_found() -> None:
    assert _undeclared({"dotenv", "yaml"}, {"pyyaml"}) == ["dotenv"]
