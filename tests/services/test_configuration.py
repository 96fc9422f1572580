"""The files under `config/`: they parse, hold no secret, and name only containers that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from arcctl import services
from arcctl.settings.resolve import owned

CONFIG = Path(__file__).parents[2] / "config"
CATALOGUE = services.load()
HOSTS = {*CATALOGUE.components(), "localhost"}
ADDRESS = re.compile(r"(?:^|[\s\"'/@\[])([a-z][a-z-]*):\d{2,5}\b", re.MULTILINE)
FILES = sorted(p for p in CONFIG.rglob("*") if p.is_file() and p.name not in (".env", ".env.example"))

each_file = pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(CONFIG).as_posix())


def _words(path: Path) -> Iterator[str]:
    """A file without its comments."""
    for line in path.read_text().splitlines():
        if not line.lstrip().startswith("#"):
            yield line


@each_file
def test_a_file_is_what_its_name_says(path: Path) -> None:
    text = path.read_text()
    if path.suffix == ".json":
        assert json.loads(text)
    if path.suffix in (".yml", ".yaml"):
        assert list(yaml.safe_load_all(text))


@each_file
def test_a_file_names_only_containers_that_exist(path: Path) -> None:
    assert set(ADDRESS.findall("\n".join(_words(path)))) <= HOSTS


@each_file
def test_a_file_sets_no_password(path: Path) -> None:
    """Secrets come in as files made by Compose; what is committed may only say where those are."""
    said = re.compile(r"(?i)^\s*[\"']?(password|secret|token|requirepass)[\"']?\s*[:= ]\s*[\"']?[A-Za-z0-9]")
    assert [line for line in _words(path) if said.match(line)] == []


@pytest.mark.parametrize("name", services.names())
def test_an_example_lists_its_own_settings_commented_out_and_without_a_secret(name: str) -> None:
    own = [v for owner, v in owned(CATALOGUE).values() if owner == name and not v.server_issued]
    lines = (CONFIG / name / ".env.example").read_text().splitlines()
    expected = [f"# {v.name}={'' if v.secret else v.default}" for v in own]
    assert [line for line in lines if re.match(r"# [A-Z_]+=", line)] == expected
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_every_exporter_is_scraped() -> None:
    texts = [path.read_text() for path in (CONFIG / "prometheus").iterdir()]
    scraped = {address for text in texts for address in ADDRESS.findall(text)}
    assert {key for key in CATALOGUE.components() if key.endswith("-exporter")} <= scraped
