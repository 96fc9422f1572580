"""An `.env` file with one setting changed: nothing else in it moves, and readers get back what was put in."""

from __future__ import annotations

from io import StringIO

import pytest
from dotenv import dotenv_values

from arcctl.errors import SettingsError
from arcctl.settings.dotenv import assigned

FILE = """\
# my notes
A=1

export B=2
# C=3
D=4
"""


@pytest.mark.parametrize(
    ("name", "value", "line", "instead"),
    [
        ("A", "9", "A=1\n", "A=9\n"),
        ("A", None, "A=1\n", ""),
        ("B", "9", "export B=2\n", "B=9\n"),
        ("C", "9", "# C=3\n", "# C=3\nC=9\n"),
        ("E", "9", "D=4\n", "D=4\nE=9\n"),
        ("E", None, "", ""),
    ],
    ids=["replaced", "taken out", "exported", "behind its example", "at the end", "was not there"],
)
def test_one_line_changes_and_comments_and_other_lines_stay(
    name: str, value: str | None, line: str, instead: str
) -> None:
    assert assigned(FILE, name, value) == FILE.replace(line, instead, 1)


def test_a_setting_that_was_there_twice_is_there_once() -> None:
    assert assigned("A=1\nB=2\nA=3\n", "A", "4") == "A=4\nB=2\n"


def test_a_file_without_a_last_line_end_gets_one() -> None:
    assert assigned("A=1", "B", "2") == "A=1\nB=2\n"


@pytest.mark.parametrize("value", ["", "plain", "two words", "a # b", "it's", 'say "x"', "back\\slash", "$HOME", " x "])
def test_what_is_written_is_what_is_read(value: str) -> None:
    text = assigned("", "A", value)
    assert dotenv_values(stream=StringIO(text), interpolate=False) == {"A": value}


def test_a_value_of_two_lines_is_refused() -> None:
    with pytest.raises(SettingsError, match="one line"):
        assigned("", "A", "x\ny")
