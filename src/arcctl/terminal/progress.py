"""Displays for the events of a command, all on stderr: a live table, plain lines, JSON, or nothing."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING

from arcctl.events import Event, Kind
from arcctl.terminal.address import addressed
from arcctl.terminal.console import err, size

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

BAR = 20
"""Columns of a bar."""
_WORDS = {
    Kind.WORKING: ("…", "cyan"),
    Kind.PULLING: ("… pulling", "cyan"),
    Kind.WAITING: ("  waiting", "dim"),
    Kind.READY: ("✔ ready", "green"),
    Kind.FAILED: ("✘ failed", "red"),
    Kind.WARNING: ("! warning", "yellow"),
}


class Mode(StrEnum):
    """`auto` is `live` on a terminal and `plain` elsewhere."""

    AUTO = "auto"
    LIVE = "live"
    PLAIN = "plain"
    JSON = "json"
    QUIET = "quiet"


class Display(AbstractContextManager["Display"]):
    """Shows nothing: errors are printed elsewhere."""

    def __call__(self, event: Event) -> None:
        del event

    def refresh(self) -> None:
        """Draw what is not drawn yet."""

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""


class Json(Display):
    """Each event as one line of JSON."""

    def __call__(self, event: Event) -> None:
        sys.stderr.write(json.dumps(asdict(event)) + "\n")


class Plain(Display):
    """One line for each event that matters, with `verbose` for every event."""

    def __init__(self, *, verbose: bool) -> None:
        self._console = err()
        self._verbose = verbose

    def __call__(self, event: Event) -> None:
        if event.detail and (event.total or not self._verbose):  # a download has too many steps for lines
            return
        if event.kind is Kind.NOTE:
            self._console.print(addressed(event.message))
            return
        word, style = _WORDS[event.kind]
        subject = f" {event.subject}" if event.subject else ""
        pulled = f", {size(event.total)}" if event.kind is Kind.READY and event.total else ""
        self._console.print(f"{event.seconds:6.1f} s  {word}{subject}: {addressed(event.message)}{pulled}", style=style)


class Live(Plain):
    """A table of what is being worked on, gone at the end; notes, warnings and failures stay above it.

    As long as images are pulled, it has a bar for each of them and one for all.
    """

    def __init__(self, *, verbose: bool) -> None:
        from rich.live import Live as RichLive

        super().__init__(verbose=verbose)
        self._rows: dict[str, Event] = {}
        self._pulls: dict[str, Event] = {}
        self._live = RichLive(console=self._console, get_renderable=self._tables, transient=True)

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        if event.kind is Kind.PULLING or event.subject in self._pulls:
            self._pulls[event.subject] = event
        elif event.subject:
            self._pulls.clear()
            self._rows[event.subject] = event
        if event.kind is Kind.READY and event.detail:
            self._rows.pop(event.subject, None)
        if not event.subject or event.kind in (Kind.FAILED, Kind.WARNING):
            super().__call__(event)

    def refresh(self) -> None:
        self._live.refresh()

    def _tables(self) -> Group:
        from rich.console import Group

        return Group(*([self._bars()] if self._pulls else []), self._table())

    def _bars(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        pulls = list(self._pulls.values())
        done, total = sum(event.done for event in pulls), sum(event.total for event in pulls)
        for event in (*pulls, Event(Kind.PULLING, "all images", "", done=done, total=total)):
            word, style = _WORDS[event.kind]
            said = f"{size(event.done)} of {size(event.total)}" if event.total else ""
            if event.kind in (Kind.WAITING, Kind.FAILED):
                said = event.message
            bar = ProgressBar(total=event.total or 1, completed=event.done, width=BAR)
            table.add_row(Text(word, style), Text(event.subject), bar, Text(said))
        return table

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for name, event in self._rows.items():
            word, style = _WORDS[event.kind]
            table.add_row(Text(word, style), Text(name), Text(f"{event.seconds:.1f} s", "dim"), Text(event.message))
        return table


def display(mode: Mode, *, verbose: bool = False) -> Display:
    """What shows the events of one command; used as a context, its value is the sink."""
    if mode is Mode.AUTO:
        mode = Mode.LIVE if err().is_terminal else Mode.PLAIN
    match mode:
        case Mode.JSON:
            return Json()
        case Mode.QUIET:
            return Display()
        case Mode.LIVE:
            return Live(verbose=verbose)
    return Plain(verbose=verbose)
