"""What a command loads: help is as light as a hello-world program, and looking needs no engine client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arcctl import services
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.location import FOLDERS
from arcctl.settings.resolve import missing_secrets

HEAVY = ("httpx", "psycopg", "python_on_whales", "pydantic", "yaml", "rich.table", "jsonschema")
PROGRAM = """\
import sys
from arcctl.cli.main import main
code = None
try:
    main()
except SystemExit as end:
    code = end.code
print("\\nMODULES", code, *sys.modules)
"""


def _loaded(*words: str) -> tuple[str, set[str]]:
    """What `arcctl <words>` prints, and the modules it leaves loaded."""
    done = subprocess.run(
        (sys.executable, "-c", PROGRAM, *words),
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    shown, _, rest = done.stdout.rpartition("\nMODULES ")
    code, *modules = rest.split()
    assert code in ("0", "None"), done.stderr
    return shown, set(modules)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its secrets, created without asking an engine."""
    root = tmp_path_factory.mktemp("project")
    for folder in FOLDERS:
        (root / folder).mkdir()
    ProjectDirectory(root).add_secrets(missing_secrets(services.load(), {}))
    return root


@pytest.fixture(scope="module")
def help_modules() -> set[str]:
    shown, modules = _loaded("--help")
    assert "Usage" in shown
    return modules


@pytest.mark.parametrize("heavy", HEAVY)
def test_help_does_not_load(heavy: str, help_modules: set[str]) -> None:
    assert heavy not in help_modules


def test_help_loads_no_declaration(help_modules: set[str]) -> None:
    assert {m for m in help_modules if m.startswith("arcctl.services.")} == set()


@pytest.mark.parametrize("client", ["python_on_whales", "psycopg", "httpx"])
def test_info_needs_no_client_of_the_engine_or_of_a_service(client: str, directory: Path) -> None:
    shown, modules = _loaded("--project-directory", str(directory), "info")
    assert all(title in shown for title in ("redis", "postgres"))
    assert client not in modules


def test_completion_reads_the_names_of_ones_own_services_and_loads_no_declaration(directory: Path) -> None:
    """Typer itself loads pydantic where it completes, so this asks what stands behind it."""
    folder = directory / "services"
    folder.mkdir()
    (folder / "my-agent.yaml").write_text("not: [read")
    program = (
        "import sys; from pathlib import Path; from arcctl import services; from arcctl.cli import completion;"
        "from arcctl.settings import location as place;"
        f"print(*place.custom_names(Path({str(directory)!r})), *services.names(), '|', *sys.modules)"
    )
    done = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True)
    shutil.rmtree(folder)
    offered, _, modules = done.stdout.partition("|")
    assert {"my-agent", *services.names()} == set(offered.split())
    assert {m for m in modules.split() if m in HEAVY or m.startswith("arcctl.services.")} == set()
