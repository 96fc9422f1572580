"""Every command that the README tells people to type does what it should on a running platform."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.driver import Platform

README = (Path(__file__).parents[2] / "README.md").read_text()
WITH_DOCKER, WITHOUT, REST = re.split(r"^## (?=Without Docker|The services)", README, flags=re.MULTILINE)


OWN_TESTS = ("backup", "config set", "down", "secrets export", "secrets rotate", "upgrade")
"""Begin what changes data, settings or secrets: tests of their own put back what these change."""


def _commands(text: str) -> list[str]:
    found = sorted(set(re.findall(r"`arcctl ((?:[a-z]|--)[^`<]*)`", text)))
    return [command for command in found if not command.startswith(OWN_TESTS)]


def _works(platform: Platform, command: str) -> None:
    refused = command.endswith("clean")  # it asks a person, and there is none here
    assert platform.arcctl(*shlex.split(command)).code == (2 if refused else 0)


@pytest.mark.parametrize("command", _commands(WITH_DOCKER + REST))
def test_each_command_of_the_readme_works_as_written(stack: Platform, command: str) -> None:
    _works(stack, command)


@pytest.mark.parametrize("command", _commands(WITHOUT))
def test_each_command_of_the_chapter_without_docker_works_as_written(local: Platform, command: str) -> None:
    _works(local, command)
