"""The reference of all commands, as Markdown: what the tree of commands says of itself.

`python -m arcctl.cli.reference` prints it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from arcctl.errors import EXIT_CODES

HEADER = """\
# Commands

Rendered from the program by `make docs`; edit the command's own words instead. `arcctl COMMAND --help` says the same.
"""
EXAMPLES = re.compile(r"^Examples?: (.*)\Z", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """One command or group of commands of the tree."""

    words: tuple[str, ...]
    command: Any
    context: Any

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def group(self) -> bool:
        return hasattr(self.command, "commands")

    @property
    def text(self) -> str:
        """What it does, without its examples."""
        return EXAMPLES.sub("", self.command.help or "").strip()

    @property
    def examples(self) -> tuple[str, ...]:
        found = EXAMPLES.search(self.command.help or "")
        return tuple(" ".join(words.split()) for words in re.findall(r"`([^`]+)`", found[1])) if found else ()


def tree(app: typer.Typer) -> Iterator[Entry]:
    """The program itself, then every command that is not hidden, each group before what is in it."""
    return _walk(typer.main.get_command(app), ("arcctl",), None)


def _walk(command: Any, words: tuple[str, ...], parent: Any) -> Iterator[Entry]:
    context = typer.Context(command, info_name=words[-1], parent=parent)
    yield Entry(words, command, context)
    for name, child in sorted(getattr(command, "commands", {}).items()):
        if not child.hidden:
            yield from _walk(child, (*words, name), context)


def render(app: typer.Typer) -> str:
    """The whole document."""
    entries = tuple(tree(app))
    rows = [(f"[{e.name}](#{'-'.join(e.words)})", _first(e.text)) for e in entries if not e.group]
    parts = [HEADER, _table(("command", "what it does"), rows), "## Exit codes\n"]
    parts += [_table(("code", "meaning"), [(str(code), meaning) for code, meaning in EXIT_CODES.items()])]
    return "\n".join((*parts, *(_section(entry) for entry in entries)))


def _first(text: str) -> str:
    return text.split("\n\n", 1)[0].replace("\n", " ")


def _section(entry: Entry) -> str:
    usage = entry.command.get_usage(entry.context).removeprefix("Usage: ")
    parts = [f"## {entry.name}\n", f"{entry.text}\n" if entry.text else "", f"```\n{' '.join(usage.split())}\n```\n"]
    rows = [(f"`{name}`", meaning) for name, meaning in _parameters(entry)]
    parts += [_table(("argument or option", "meaning"), rows)] if rows else []
    if entry.examples:
        parts += ["```console\n" + "".join(f"$ {words}\n" for words in entry.examples) + "```\n"]
    return "\n".join(part for part in parts if part)


def _parameters(entry: Entry) -> Iterator[tuple[str, str]]:
    """As `--help` shows them, without itself."""
    for parameter in entry.command.params:
        record = parameter.get_help_record(entry.context)
        if record:
            yield record


def _table(headers: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [headers, ("---",) * len(headers), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    from arcctl.cli.main import app

    sys.stdout.write(render(app))
