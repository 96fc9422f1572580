"""The reference of all commands is what the program says of itself."""

from __future__ import annotations

from pathlib import Path

from arcctl import errors
from arcctl.cli.main import app
from arcctl.cli.reference import render

CHECKOUT = Path(__file__).parents[2]


def test_the_reference_is_what_the_program_says() -> None:
    written = (CHECKOUT / "docs" / "commands.md").read_text()
    assert written == render(app), "docs/commands.md is out of date: make docs"


def test_every_exit_code_is_explained_in_the_readme() -> None:
    told = " · ".join(f"{code} {meaning}" for code, meaning in errors.EXIT_CODES.items())
    assert f"Exit codes: {told}." in (CHECKOUT / "README.md").read_text()


def test_every_error_ends_with_a_code_of_the_table() -> None:
    found = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.ArcError)]
    assert {e.exit_code for e in found} <= set(errors.EXIT_CODES)
