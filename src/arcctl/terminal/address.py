"""The one place where the commands that a text names get the option that leads to the project they are about.

Plain `arcctl` finds the project of the current folder; a command that was given another one says so in what it prints.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(^|[:,;(`\n] ?|\b(?:then|or|and) )arcctl (?=(?P<word>[a-z]+|--engine )\b)", re.MULTILINE)
"""Begins a text, or follows a punctuation mark or a conjunction; other uses of the name are prose."""
_ANYWHERE = ("projects", "schema", "version")
_option = [""]


def use(option: str) -> None:
    """The option that commands need from here on; empty where plain `arcctl` finds the same project."""
    _option[0] = option


def addressed(text: str) -> str:
    """The text with that option in each of its commands."""
    return _COMMAND.sub(_with_option, text) if _option[0] else text


def _with_option(found: re.Match[str]) -> str:
    return found[0] if found["word"] in _ANYWHERE else f"{found[0]}{_option[0]} "
