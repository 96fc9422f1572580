"""Two streams: data to stdout, everything else to stderr. Colour only where a person looks and allows it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from arcctl.terminal.address import addressed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

GLYPHS = {"healthy": "✔", "degraded": "!", "unhealthy": "✘", "unknown": "?", "ok": "✔", "bad": "✘", "none": "-"}
STYLES = {
    "healthy": "green",
    "degraded": "yellow",
    "unhealthy": "red",
    "unknown": "dim",
    "ok": "green",
    "bad": "red",
    "none": "dim",
}

HIDDEN = "********"
"""Stands for a secret."""

WIDTH = 240
"""Columns of a table that goes to a file or a pipe: no cell is folded there."""


def out() -> Console:
    """The console for data."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDTH
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True, width=width)


def err() -> Console:
    """The console for progress, warnings and errors."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def line(text: str) -> None:
    """One line of data, as it is and at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(text: str, style: str = "") -> None:
    """One line on stderr."""
    err().print(addressed(text), style=style or None)


def size(number: int) -> str:
    """Bytes as people say them."""
    from rich.filesize import decimal

    return decimal(number)


def count(number: int, noun: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def not_available(services: Iterable[str]) -> str:
    """One line on the services that cannot run on this engine, and the command that says what each of them lacks."""
    return f"not available here: {', '.join(services)} (what each needs: arcctl engine list)"


def word(status: str) -> tuple[str, str]:
    """A glyph and the word, with the style of both."""
    return f"{GLYPHS[status]} {status}", STYLES[status]


def table(headers: Sequence[str], rows: Iterable[Sequence[tuple[str, str] | str]]) -> None:
    """Columns as wide as their text; a cell may carry a style."""
    out().print(grid(headers, rows))


def grid(headers: Sequence[str], rows: Iterable[Sequence[tuple[str, str] | str]]) -> Table:
    """A table that somebody else prints."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for header in headers:
        made.add_column(header, overflow="fold")
    for row in rows:
        made.add_row(*map(_cell, row))
    return made


def _cell(cell: tuple[str, str] | str) -> Text:
    from rich.text import Text

    text, style = (cell, "") if isinstance(cell, str) else cell
    return Text(addressed(text), style=style)
