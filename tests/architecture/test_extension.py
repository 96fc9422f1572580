"""Adding a service or a command is one module: it is added to a copy of the tree, and all checks of the copy pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
FAKES = CHECKOUT / "tests" / "fakes"
LEFT_OUT = shutil.ignore_patterns(".*_cache", ".git", ".venv", ".arcctl", "__pycache__", "node_modules")
OF_ALL = ("tests/docs", "tests/architecture/test_imports.py", "tests/architecture/test_structure.py")
OF_SERVICES = ("tests/services", "tests/render")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the checkout."""
    return shutil.copytree(CHECKOUT, tmp_path / "tree", ignore=LEFT_OUT)


def _run(tree: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A program that imports the packages of the copy."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tree / "src"), str(tree)))}
    return subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def _arcctl(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return _run(tree, Path(sys.executable).with_name("arcctl"), "--project-directory", tree, *words)


def _check(tree: Path, *more: str) -> None:
    """Write the reference pages, then run every check of the tree."""
    for words in ((sys.executable, "-m", "docs.render"), (sys.executable, "-m", "docs.render", "--check")):
        done = _run(tree, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (done := _arcctl(tree, "render", "--check")).returncode == 0, done.stderr
    done = _run(tree, sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *OF_ALL, *more)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def test_a_service_is_added_by_one_module(tree: Path) -> None:
    shutil.copy(FAKES / "memcached.py", tree / "src" / "arcctl" / "services")
    assert _arcctl(tree, "render").returncode == 0
    _check(tree, *OF_SERVICES)
    assert "/library/}memcached:${MEMCACHED_IMAGE_TAG:-1.6.40-alpine}" in (tree / "compose" / "stack.yaml").read_text()
    assert "| memcached | a cache in memory" in (tree / "README.md").read_text()
    assert "memcached: up" in (tree / "config" / "grafana" / "dashboards" / "overview.json").read_text()


def test_a_command_is_added_by_one_module(tree: Path) -> None:
    shutil.copy(FAKES / "greet.py", tree / "src" / "arcctl" / "cli" / "commands")
    assert (done := _arcctl(tree, "greet", "world")).stdout == "hello world\n", done.stderr
    _check(tree)
    assert "## arcctl greet" in (tree / "docs" / "reference" / "commands.md").read_text()
