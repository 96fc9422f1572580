"""Every command that the README tells people to type does what it should on a running platform."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.driver import Platform

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"`arcctl ((?:[a-z]|--)[^`<]*)`", README)) - {"down"})
"""All but `down`, which has a test of its own that brings everything up again."""


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_readme_works_as_written(stack: Platform, command: str) -> None:
    refused = command == "clean"  # it asks a person, and there is none here
    assert stack.arcctl(*shlex.split(command)).code == (2 if refused else 0)
