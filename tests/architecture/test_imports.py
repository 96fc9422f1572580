"""Who imports whom: between packages by layer, inside them by the name of the file. Each rule is seen to fail."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from copy import deepcopy
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

import grimp
import pytest

ROOT = "arcctl"
CHECKOUT = Path(__file__).parents[2]
IO = {
    "asyncio", "fcntl", "http", "httpx", "nats", "os", "pg0", "psutil", "psycopg", "pulsar", "pyrage",
    "python_on_whales", "redis", "select", "shutil", "signal", "socket", "subprocess", "supervisor", "tempfile",
    "threading", "time", "urllib.request", "webbrowser",
}  # fmt: skip
"""What a module that only decides has no use for."""
LIBRARIES = IO - {"asyncio", "os", "time", "shutil", "signal", "threading", "tempfile", "fcntl"}
"""What only adapters speak to."""
PURE_PACKAGES = {"model", "services", "render"}
PURE_FILES = {"plan", "report", "manifest", "errors", "events"}
ADAPTERS = {"clients", "docker", "embedded"}


class Rule(NamedTuple):
    invariant: str
    breaks: Callable[[str, str], bool]
    """Whether this importer may not import this module."""
    planted: tuple[str, str]
    """An import that the rule has to find."""


def _parts(module: str) -> list[str]:
    return module.split(".")


def _is_pure(module: str) -> bool:
    parts = _parts(module)
    return parts[1] in PURE_PACKAGES or parts[-1] in PURE_FILES or parts[-1].endswith("_report") or "rules" in parts


def _is_adapter(module: str) -> bool:
    return bool(ADAPTERS & set(_parts(module))) or _parts(module)[1] == "engines"


def _is_view(module: str) -> bool:
    return _parts(module)[-1] == "view" or _parts(module)[1] == "terminal"


def _in(module: str, *packages: str) -> bool:
    return len(_parts(module)) > 1 and _parts(module)[1] in packages


RULES = (
    Rule(
        "a module that decides does no I/O",
        lambda importer, imported: _is_pure(importer) and imported in IO | {"rich", "typer"},
        ("arcctl.lifecycle.plan", "asyncio"),
    ),
    Rule(
        "only adapters speak to a library that does I/O",
        lambda importer, imported: imported in LIBRARIES and not _is_adapter(importer),
        ("arcctl.backup.restore", "psycopg"),
    ),
    Rule(
        "only a view shows",
        lambda importer, imported: imported == "rich" and not _is_view(importer),
        ("arcctl.cli.commands.up", "rich"),
    ),
    Rule(
        "only the command line and views know the terminal",
        lambda importer, imported: _in(imported, "terminal") and not (_is_view(importer) or _in(importer, "cli")),
        ("arcctl.lifecycle.up", "arcctl.terminal.console"),
    ),
    Rule(
        "a view shows what it is given",
        lambda importer, imported: (
            _is_view(importer)
            and (_in(imported, "engines", "project", "settings", "cli") or imported in LIBRARIES)
            and _parts(imported)[:2] != _parts(importer)[:2]
        ),
        ("arcctl.checks.view", "arcctl.project"),
    ),
    Rule(
        "only the command line reads arguments",
        lambda importer, imported: imported == "typer" and not _in(importer, "cli"),
        ("arcctl.secrets.rotate", "typer"),
    ),
    Rule(
        "an adapter runs no command",
        lambda importer, imported: "clients" in _parts(importer) and _in(imported, "lifecycle", "cli"),
        ("arcctl.backup.clients.volumes", "arcctl.lifecycle.up"),
    ),
)


def test_the_measured_modules_are_those_that_decide() -> None:
    """`make test` fails where the unit tests leave out a branch of these."""
    patterns = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["coverage"]["report"]["include"]
    files = [path.relative_to(CHECKOUT) for path in (CHECKOUT / "src" / ROOT).rglob("*.py")]
    names = {path: path.with_suffix("").as_posix().removeprefix("src/").replace("/", ".") for path in files}
    pure = {path for path, name in names.items() if name.count(".") and _is_pure(name)}
    assert {path for path in files if any(fnmatch(path.as_posix(), pattern) for pattern in patterns)} == pure


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(ROOT, include_external_packages=True, cache_dir=None)


def _breaches(rule: Rule, imports: grimp.ImportGraph) -> list[str]:
    return sorted(
        f"{importer} imports {imported}"
        for importer in imports.modules
        if importer.startswith(f"{ROOT}.")
        for imported in imports.find_modules_directly_imported_by(importer)
        if rule.breaks(importer, imported)
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.invariant)
def test_rule_holds(rule: Rule) -> None:
    assert _breaches(rule, graph()) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.invariant)
def test_rule_finds_a_breach(rule: Rule) -> None:
    planted = deepcopy(graph())
    importer, imported = rule.planted
    planted.add_module(importer)
    planted.add_import(importer=importer, imported=imported)
    assert f"{importer} imports {imported}" in _breaches(rule, planted)


def _makes_table(name: str, text: str) -> bool:
    return ".table(" in text and not _is_view(name)


def test_only_a_view_makes_a_table() -> None:
    files = (CHECKOUT / "src" / ROOT).rglob("*.py")
    texts = {p.relative_to(CHECKOUT / "src").with_suffix("").as_posix().replace("/", "."): p.read_text() for p in files}
    assert [name for name, text in texts.items() if _makes_table(name, text)] == []
    assert _makes_table("arcctl.cli.commands.engine", "terminal.table(headers, rows)")


def _cycles(imports: grimp.ImportGraph) -> list[list[str]]:
    """Groups of modules that reach each other."""
    ours = {m for m in imports.modules if m.startswith(ROOT)}
    below = {m: imports.find_downstream_modules(m) & ours for m in ours}
    groups = {frozenset({m} | {other for other in below[m] if m in below[other]}) for m in ours}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def test_no_module_is_in_a_cycle() -> None:
    assert _cycles(graph()) == []


def test_a_cycle_is_found() -> None:
    planted = deepcopy(graph())
    planted.add_import(importer="arcctl.errors", imported="arcctl.model.graph")
    assert ["arcctl.errors", "arcctl.model.graph"] in [c for c in _cycles(planted) if len(c) == 2] or any(
        {"arcctl.errors", "arcctl.model.graph"} <= set(group) for group in _cycles(planted)
    )
