"""The first code of a custom service: complete, in its own name, with the dependencies of the sample."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from arcctl.custom.new import scaffold

CHECKOUT = Path(__file__).parents[2]
TEMPLATES = CHECKOUT / "src/arcctl/templates/service"
PIN = re.compile(r"^([a-z][\w.-]*)==(\S+)", re.MULTILINE)


def _made(*, database: bool) -> dict[str, str]:
    files = scaffold("my-agent", database=database).files
    return {str(path.relative_to("apps/my-agent")): text for path, text in files.items()}


@pytest.mark.parametrize("database", [True, False])
def test_it_is_a_whole_project_in_its_own_name(database: bool) -> None:
    files = _made(database=database)
    assert set(files) == {
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "pyproject.toml",
        "requirements.lock",
        *(
            f"src/my_agent_service/{module}.py"
            for module in ("__init__", "__main__", "app", "correlation", "server_spans", "telemetry", "visits")
        ),
    }
    assert [path for path, text in files.items() if re.search(r"(?i)swiss|\$\{?[a-z]", text)] == []
    assert tomllib.loads(files["pyproject.toml"])["project"]["name"] == "my_agent_service"


@pytest.mark.parametrize("database", [True, False])
def test_its_code_compiles_and_imports_only_what_is_there(database: bool) -> None:
    files = _made(database=database)
    code = {path: text for path, text in files.items() if path.endswith(".py")}
    for path, text in code.items():
        compile(text, path, "exec")
    imported = {name for text in code.values() for name in re.findall(r"from my_agent_service\.(\w+) import", text)}
    assert {f"src/my_agent_service/{name}.py" for name in imported} <= set(code)
    assert ("psycopg" in "".join(code.values())) is database


@pytest.mark.parametrize("database", [True, False])
def test_its_dependencies_are_pinned_as_those_of_the_sample_and_of_arcctl(database: bool) -> None:
    pins = dict(PIN.findall(_made(database=database)["requirements.lock"]))
    sample = dict(PIN.findall((CHECKOUT / "apps/swiss_army_py/requirements.lock").read_text()))
    ours = dict(PIN.findall((CHECKOUT / "requirements.lock").read_text()))
    added = {name: ours[name] for name in ("psycopg", "psycopg-binary")} if database else {}
    assert pins == sample | added


def test_the_hashes_of_what_a_database_takes_are_those_of_arcctl() -> None:
    hashes = re.compile(r"sha256:[0-9a-f]{64}")
    added = (TEMPLATES / "database.lock").read_text()
    assert set(hashes.findall(added)) <= set(hashes.findall((CHECKOUT / "requirements.lock").read_text()))
    assert len(hashes.findall(added)) > 10
