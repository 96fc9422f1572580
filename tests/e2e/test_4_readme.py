"""Every command in the README and the docs works on a running platform."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.e2e.driver import Platform

CHECKOUT = Path(__file__).parents[2]
WITHOUT_DOCKER = CHECKOUT / "docs" / "how-to" / "without-docker.md"
PAGES = {CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md"), *(CHECKOUT / "docs" / "how-to").glob("*.md")}

OTHER_TESTS = ("backup", "config set", "down", "images pull", "secrets export", "secrets rotate", "upgrade")
"""Commands that change data, settings or secrets, or need a registry: other tests run them."""


def _commands(pages: Iterable[Path]) -> list[str]:
    texts = (page.read_text() for page in pages)
    found = sorted({command for text in texts for command in re.findall(r"`arcctl ((?:[a-z]|--)[^`<]*)`", text)})
    return [command for command in found if not command.startswith(OTHER_TESTS)]


def _works(platform: Platform, command: str) -> None:
    refused = command.endswith("clean")  # it asks for confirmation, and there is no terminal
    assert platform.arcctl(*shlex.split(command)).code == (2 if refused else 0)


@pytest.mark.parametrize("command", _commands(PAGES - {WITHOUT_DOCKER}))
def test_each_command_works_as_written(stack: Platform, command: str) -> None:
    _works(stack, command)


@pytest.mark.parametrize("command", _commands([WITHOUT_DOCKER]))
def test_each_command_without_docker_works_as_written(local: Platform, command: str) -> None:
    _works(local, command)
