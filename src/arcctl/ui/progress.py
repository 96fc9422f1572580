"""Shows events as they come: one line per change, on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcctl.core.events import Event, Kind
from arcctl.ui.terminal import err

if TYPE_CHECKING:
    from rich.status import Status

_WORDS = {
    Kind.WORKING: ("…", "cyan"),
    Kind.READY: ("✔ ready", "green"),
    Kind.FAILED: ("✘ failed", "red"),
    Kind.WARNING: ("! warning", "yellow"),
}


class Progress:
    """On a terminal what is awaited stands in one moving line; elsewhere each change is a line of its own."""

    def __init__(self) -> None:
        self._console = err()
        self._awaited: dict[str, str] = {}
        self._status: Status | None = None

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def __call__(self, event: Event) -> None:
        if event.kind is Kind.NOTE:
            self._console.print(event.message)
        elif event.kind is Kind.WAITING and self._status:
            self._awaited[event.subject] = event.message
        else:
            self._awaited.pop(event.subject, None)
            self._print(event)
        self._refresh()

    def _print(self, event: Event) -> None:
        word, style = _WORDS.get(event.kind, ("  waiting", "dim"))
        subject = f" {event.subject}" if event.subject else ""
        self._console.print(f"{event.seconds:6.1f} s  {word}{subject}: {event.message}", style=style)

    def _refresh(self) -> None:
        if self._status and self._awaited:
            names = ", ".join(sorted(self._awaited))
            last = next(reversed(self._awaited.items()))
            self._status.update(f"waiting for {names} ({last[0]}: {last[1]})")
