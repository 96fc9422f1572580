"""Every command that the README tells people to type does what it should on a running platform."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.driver import Platform

README = (Path(__file__).parents[2] / "README.md").read_text()
WITH_DOCKER, WITHOUT, REST = re.split(r"^## (?=Without Docker|The services)", README, flags=re.MULTILINE)


def _commands(text: str) -> list[str]:
    """All but `down`, which has tests of its own that bring everything up again."""
    return sorted(set(re.findall(r"`arcctl ((?:[a-z]|--)[^`<]*)`", text)) - {"down"})


def _works(platform: Platform, command: str) -> None:
    refused = command.endswith("clean")  # it asks a person, and there is none here
    assert platform.arcctl(*shlex.split(command)).code == (2 if refused else 0)


@pytest.mark.parametrize("command", _commands(WITH_DOCKER + REST))
def test_each_command_of_the_readme_works_as_written(stack: Platform, command: str) -> None:
    _works(stack, command)


@pytest.mark.parametrize("command", _commands(WITHOUT))
def test_each_command_of_the_chapter_without_docker_works_as_written(local: Platform, command: str) -> None:
    _works(local, command)
