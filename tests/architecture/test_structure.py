"""The shape of the code: imports by layer, and each service named in its own module only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from arcctl import services

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "src" / "arcctl"
NOT_A_NAME = {("model/env.py", "postgres")}
"""Literals that mean something else: here a password that everybody tries first."""

READERS = {
    "settings/text.py": "the one way to read a file of a project",
    "settings/installation.py": "files of this installation",
    "custom/new.py": "files of this installation",
    "cli/commands/schema.py": "files of this installation",
    "engines/machine.py": "files of the kernel",
    "engines/embedded/processes.py": "files of processes: what cannot be read is not running",
    "diagnostics/clients/collector.py": "files that may be damaged",
    "diagnostics/clients/embedded.py": "files of servers",
    "diagnostics/clients/evidence.py": "files as they are, for a bundle",
    "backup/clients/repository.py": "a key, which may be anywhere",
}
"""The modules that read text or YAML by themselves, and of what."""


def _literals(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _module_of(service: str) -> str:
    return f"services/{service.replace('-', '_')}.py"


def _foreign_ids(path: Path, package: Path = PACKAGE) -> list[str]:
    """Where a module spells the id of a service that it does not declare."""
    shown = path.relative_to(package).as_posix()
    ids = {i for i in services.names() if _module_of(i) != shown}
    found = [(line, text) for line, text in _literals(path) if text in ids and (shown, text) not in NOT_A_NAME]
    return [f"{shown}:{line} {text!r}" for line, text in found]


def test_imports_keep_to_the_layers() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run((tool, "--no-cache"), cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_a_service_itself_spells_its_id() -> None:
    assert [place for path in sorted(PACKAGE.rglob("*.py")) for place in _foreign_ids(path)] == []


def test_the_search_for_ids_finds_one(tmp_path: Path) -> None:
    """A check that can find nothing would pass on everything."""
    path = tmp_path / "somewhere.py"
    path.write_text('"""redis is named here, and that is text."""\nNAME = "redis"\n')
    assert _foreign_ids(path, tmp_path) == ["somewhere.py:2 'redis'"]


def _reads(path: Path) -> bool:
    nodes = (node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))
    return bool({"read_text", "safe_load"} & set(nodes))


def test_files_of_a_project_are_read_in_one_way() -> None:
    """`arcctl.settings.text` names a damaged file, the line, and what to do."""
    reading = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if _reads(path)}
    assert reading == {*READERS}


OF_A_MACHINE = ("/proc", "x86", "amd64", "aarch64", "arm64", "darwin", "win32")
ASKS_FOR_THE_SYSTEM = {"sys.platform", "platform.machine", "platform.system", "os.uname"}
MACHINE = "engines/machine.py"


def _of_one_machine(path: Path, package: Path = PACKAGE) -> list[str]:
    """Where a module asks which system or processor it runs on, or names one."""
    shown, tree = path.relative_to(package).as_posix(), ast.parse(path.read_text())
    asked = [(n.lineno, ast.unparse(n)) for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    named = [(line, text) for line, text in _literals(path) if any(word in text for word in OF_A_MACHINE)]
    return [f"{shown}:{line}" for line, _ in (*(a for a in asked if a[1] in ASKS_FOR_THE_SYSTEM), *named)]


def test_one_module_knows_what_differs_between_machines() -> None:
    found = [place for path in sorted(PACKAGE.rglob("*.py")) for place in _of_one_machine(path)]
    assert {place.partition(":")[0] for place in found} == {MACHINE}


def test_the_search_for_machines_finds_each(tmp_path: Path) -> None:
    path = tmp_path / "somewhere.py"
    path.write_text('import sys\nHERE = sys.platform == "linux"\nFILE = "bin/linux-x86_64/server"\nPROC = "/proc/1"\n')
    assert _of_one_machine(path, tmp_path) == ["somewhere.py:2", "somewhere.py:3", "somewhere.py:4"]
