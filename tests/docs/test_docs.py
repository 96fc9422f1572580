"""README and docs tell the truth: pages are as rendered, links lead somewhere, commands exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from arcctl import errors
from tests.command_lines import parse

CHECKOUT = Path(__file__).parents[2]
README = CHECKOUT / "README.md"
PAGES = (README, CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").rglob("*.md")))
WRITTEN = tuple(page for page in PAGES if page.parent.name != "reference")
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _shown(page: Path) -> str:
    return page.relative_to(CHECKOUT).as_posix()


def test_the_readme_is_short() -> None:
    assert len(README.read_bytes()) <= 8000


def test_rendered_pages_are_up_to_date() -> None:
    done = _check(CHECKOUT)
    assert (done.returncode, done.stdout) == (0, "")


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Of the pages below a folder, by the `docs/render.py` that is there."""
    command = (sys.executable, "-m", "docs.render", "--check")
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(CHECKOUT))))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_page_that_is_out_of_date_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (CHECKOUT / "docs" / "render.py").read_text()
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    (tmp_path / "README.md").write_text("old\n")
    (tmp_path / "tests" / "testbed" / "images").mkdir(parents=True)
    (tmp_path / "tests" / "testbed" / "images" / "promises.yaml").write_text("{}")
    (tmp_path / "docs" / "render.py").write_text(
        text.replace("SCHEMAS = CHECKOUT", f"SCHEMAS = Path({str(CHECKOUT)!r})")
    )
    done = _check(tmp_path)
    assert done.returncode == 1
    assert "docs/reference/ports.md is out of date: make docs" in done.stdout.splitlines()


@pytest.mark.parametrize("page", PAGES, ids=_shown)
def test_each_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def _console_commands() -> list[str]:
    blocks = [block for page in WRITTEN for block in BLOCK.findall(page.read_text())]
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    inline = [text for page in WRITTEN for text in re.findall(r"`(arcctl [a-z-][^`]*)`", page.read_text())]
    return sorted({found for line in (*lines, *inline) for found in re.findall(r"(arcctl .*?)(?:\)\"| \||$)", line)})


def _parse(line: str) -> None:
    parse(shlex.split(re.sub(r"<[\w-]+>|…", "x", line))[1:], whole=False)


@pytest.mark.parametrize("line", _console_commands())
def test_each_command_that_is_shown_exists_with_its_options(line: str) -> None:
    _parse(line)


@pytest.mark.parametrize("line", ["arcctl upp", "arcctl up --stak", "arcctl backup creat"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(Exception, match=re.escape(line.split()[-1])):
        _parse(line)


@pytest.mark.parametrize(
    "target", sorted({t for page in WRITTEN for t in re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text())})
)
def test_each_make_target_that_is_named_exists(target: str) -> None:
    done = subprocess.run(("make", "-n", target), cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_error_ends_with_a_code_of_the_table() -> None:
    found = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.ArcError)]
    assert {e.exit_code for e in found} <= set(errors.EXIT_CODES)
