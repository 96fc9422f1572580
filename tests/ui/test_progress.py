"""Progress beside the data: a line for each change in a file, one moving line on a terminal."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable

import pytest

from arcctl.core.events import Event, Kind
from arcctl.ui import terminal
from arcctl.ui.progress import Progress

EVENTS = [
    Event(Kind.NOTE, "", "services: store, big-shop"),
    Event(Kind.WARNING, "", "the engine has 512 MiB"),
    Event(Kind.WORKING, "store", "create: does not exist", 0.04),
    Event(Kind.WAITING, "store", "nothing listens on port 7000", 0.3),
    Event(Kind.READY, "store", "port 7000 answered OK", 1.25),
    Event(Kind.FAILED, "shop-db", "is exited with exit code 3", 12.5),
    Event(Kind.FAILED, "big-shop", "needs shop-db", 125.0),
]
LINES = """\
services: store, big-shop
   0.0 s  ! warning: the engine has 512 MiB
   0.0 s  … store: create: does not exist
   0.3 s    waiting store: nothing listens on port 7000
   1.2 s  ✔ ready store: port 7000 answered OK
  12.5 s  ✘ failed shop-db: is exited with exit code 3
 125.0 s  ✘ failed big-shop: needs shop-db
"""


def _tell(events: list[Event]) -> None:
    with Progress() as progress:
        for event in events:
            progress(event)


def _on_a_terminal(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> str:
    """What a person sees of stderr."""
    above, below = pty.openpty()
    with os.fdopen(below, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        work()
    text = b""
    while True:
        try:
            text += os.read(above, 65536)
        except OSError:  # the other side is closed and all is read
            break
    os.close(above)
    return text.decode()


def test_each_change_is_a_line_on_stderr_and_stdout_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(EVENTS)
    assert tuple(capsys.readouterr()) == ("", LINES)


def test_a_long_line_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    _tell([Event(Kind.READY, "store", "x" * 500)])
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_on_a_terminal_what_is_awaited_stands_in_one_moving_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    waiting = [Event(Kind.WAITING, name, "nothing listens yet") for name in ("store", "front")]
    seen = _on_a_terminal(monkeypatch, lambda: _tell([*waiting, Event(Kind.READY, "front", "answered", 2.0)]))
    assert "waiting for front, store (front: nothing listens yet)" in seen
    assert "✔ ready front: answered" in seen
    assert "waiting store:" not in seen


@pytest.mark.parametrize(("name", "value", "coloured"), [("NO_COLOR", "1", False), ("TERM", "xterm-256color", True)])
def test_colour_is_for_those_who_look_and_allow_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, coloured: bool
) -> None:
    monkeypatch.setenv(name, value)
    seen = _on_a_terminal(monkeypatch, lambda: terminal.say("ready", style="green"))
    assert seen.strip() == ("\x1b[32mready\x1b[0m" if coloured else "ready")


def test_in_a_file_there_is_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("ready", style="green")
    assert capsys.readouterr().err == "ready\n"
