"""The commands that add packages to arcctl, for each way in which it can be installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from arcctl.settings import installation


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that has arcctl from a package index."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/opt/my tools/python")
    _origin(monkeypatch, None)
    return tmp_path


def _origin(monkeypatch: pytest.MonkeyPatch, document: object) -> None:
    found = SimpleNamespace(read_text=lambda name: json.dumps(document) if document else None)
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: found)


PIP = "'/opt/my tools/python' -m pip install"
UV = "uv pip install --python '/opt/my tools/python'"


@pytest.mark.parametrize(
    ("file", "text", "pip", "extra", "other"),
    [
        ("nothing", "", True, f"{PIP} 'arcctl[embedded]'", f"{PIP} pg0==1"),
        ("pyvenv.cfg", "home = /usr\nuv = 0.9\n", True, f"{PIP} 'arcctl[embedded]'", f"{PIP} pg0==1"),
        ("pyvenv.cfg", "home = /usr\nuv = 0.9\n", False, f"{UV} 'arcctl[embedded]'", f"{UV} pg0==1"),
        (
            "pipx_metadata.json",
            "{}",
            False,
            "pipx install --force 'arcctl[embedded]'",
            "pipx inject --force arcctl pg0==1",
        ),
        (
            "uv-receipt.toml",
            "[tool]",
            False,
            "uv tool install --force 'arcctl[embedded]'",
            "uv tool install --force 'arcctl[embedded]' --with pg0==1",
        ),
    ],
)
def test_the_command_is_that_of_the_program_which_installed_it(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str, pip: bool, extra: str, other: str
) -> None:
    (prefix / file).write_text(text)
    monkeypatch.setattr(installation, "find_spec", lambda name: pip or None)
    assert (installation.with_extra(), installation.install("pg0==1")) == (extra, other)


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        ({"url": "file:///src/arc ctl", "dir_info": {"editable": True}}, "-e '/src/arc ctl[embedded]'"),
        ({"url": "file:///src/arcctl", "dir_info": {}}, "'/src/arcctl[embedded]'"),
        ({"url": "file:///tmp/arcctl.whl", "archive_info": {}}, "'arcctl[embedded] @ file:///tmp/arcctl.whl'"),
        (
            {"url": "https://git.example/arcctl", "vcs_info": {"vcs": "git"}},
            "'arcctl[embedded] @ git+https://git.example/arcctl'",
        ),
    ],
)
def test_it_is_installed_again_from_where_it_came(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, origin: object, requirement: str
) -> None:
    _origin(monkeypatch, origin)
    assert installation.with_extra() == f"{PIP} {requirement}"


def test_a_package_is_offered_where_its_marker_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["server>=1; sys_platform == 'nowhere' and extra == 'embedded'", "other; extra == 'embedded'", "always>=2"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: lines)
    found = {name: installation.offered(name) for name in ("server", "other", "always", "unknown")}
    assert found == {"server": False, "other": True, "always": True, "unknown": True}
