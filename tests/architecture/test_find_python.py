"""`make` finds a Python that fits, on machines with any one of them, and says what to install where there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

FINDER = Path(__file__).parents[2] / ".ci" / "find-python"
PROGRAM = """#!/bin/sh
case "$2" in
*ensurepip*) exit {venv} ;;
*print*) echo {version} ;;
*) exit {fits} ;;
esac
"""


def _machine(folder: Path, *names: str, fits: bool = True, venv: bool = True, version: str = "3.14") -> None:
    """Programs of these names that answer as a Python of such a version does."""
    for name in names:
        program = folder / name
        program.write_text(PROGRAM.format(venv=int(not venv), version=version, fits=int(not fits)))
        program.chmod(0o755)


def _find(folder: Path, python: str = "") -> tuple[int, str, str]:
    environment = {"PATH": str(folder), "PYTHON": python}
    done = subprocess.run(("/bin/sh", FINDER), env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14", "python3", "python"])
def test_any_one_that_fits_is_found(tmp_path: Path, name: str) -> None:
    _machine(tmp_path, name)
    assert _find(tmp_path) == (0, name, "")


def test_the_oldest_that_works_is_taken(tmp_path: Path) -> None:
    _machine(tmp_path, "python3.11", fits=False)  # a shim of a version manager without this version
    _machine(tmp_path, "python3.12", "python3.14", "python3")
    assert _find(tmp_path) == (0, "python3.12", "")


def test_a_python_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    _machine(tmp_path, "python3.12")
    _machine(tmp_path, "my python")
    assert _find(tmp_path, str(tmp_path / "my python")) == (0, str(tmp_path / "my python"), "")
    assert _find(tmp_path, "python9") == (1, "", "error: PYTHON=python9 is not a Python from 3.11 to 3.14\n")


def test_without_one_a_single_line_says_what_to_install(tmp_path: Path) -> None:
    _machine(tmp_path, "python3", fits=False)
    code, out, err = _find(tmp_path)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith("error: no Python from 3.11 to 3.14 found; install one")


def test_one_without_virtual_environments_names_the_package_that_it_lacks(tmp_path: Path) -> None:
    _machine(tmp_path, "python3.14", venv=False)
    assert _find(tmp_path) == (
        1,
        "",
        "error: python3.14 cannot make virtual environments; on Debian and Ubuntu: apt install python3.14-venv\n",
    )


def test_make_says_it_too_and_starts_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        (
            "make",
            "--no-print-directory",
            "VENV=" + str(tmp_path / "venv"),
            "PYTHON=python9",
            str(tmp_path / "venv/.installed"),
        ),
        cwd=FINDER.parents[1],
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},  # as if typed
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[0] == "error: PYTHON=python9 is not a Python from 3.11 to 3.14"
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
