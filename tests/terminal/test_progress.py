"""Progress on stderr: one line for each event that matters, a live table on a terminal, JSON, or nothing."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Callable
from dataclasses import asdict

import pytest

from arcctl import services
from arcctl.events import Event, Kind
from arcctl.lifecycle import view
from arcctl.lifecycle.plan import Action, Plan, Step
from arcctl.lifecycle.report import Outcome, UpReport
from arcctl.model.service import Role
from arcctl.terminal import console as terminal
from arcctl.terminal.progress import Mode, display

pytestmark = pytest.mark.usefixtures("plain_streams")

EVENTS = [
    Event(Kind.NOTE, "", "services: store, big-shop"),
    Event(Kind.WARNING, "", "the engine has 512 MiB"),
    Event(Kind.WORKING, "store", "creating: not there yet", 0.04, detail=True),
    Event(Kind.WAITING, "store", "nothing listens on port 7000", 0.3, detail=True),
    Event(Kind.PULLING, "store", "toy/store:1", 0.4),
    Event(Kind.READY, "store", "port 7000 answered OK", 1.25),
    Event(Kind.READY, "store-exporter", "running", 1.3, detail=True),
    Event(Kind.PULLING, "toy/shop:3", "from Docker Hub", 1.3, detail=True, done=2_000_000, total=8_000_000),
    Event(Kind.READY, "toy/shop:3", "pulled", 9.5, done=8_000_000, total=8_000_000),
    Event(Kind.FAILED, "shop-db", "exited with code 3", 12.5),
    Event(Kind.FAILED, "big-shop", "depends on shop-db, which failed", 125.0),
]
LINES = """\
services: store, big-shop
   0.0 s  ! warning: the engine has 512 MiB
   0.4 s  … pulling store: toy/store:1
   1.2 s  ✔ ready store: port 7000 answered OK
   9.5 s  ✔ ready toy/shop:3: pulled, 8.0 MB
  12.5 s  ✘ failed shop-db: exited with code 3
 125.0 s  ✘ failed big-shop: depends on shop-db, which failed
"""
VERBOSE = """\
services: store, big-shop
   0.0 s  ! warning: the engine has 512 MiB
   0.0 s  … store: creating: not there yet
   0.3 s    waiting store: nothing listens on port 7000
   0.4 s  … pulling store: toy/store:1
   1.2 s  ✔ ready store: port 7000 answered OK
   1.3 s  ✔ ready store-exporter: running
   9.5 s  ✔ ready toy/shop:3: pulled, 8.0 MB
  12.5 s  ✘ failed shop-db: exited with code 3
 125.0 s  ✘ failed big-shop: depends on shop-db, which failed
"""


def _show(events: list[Event], mode: Mode = Mode.AUTO, *, verbose: bool = False) -> None:
    with display(mode, verbose=verbose) as sink:
        for event in events:
            sink(event)


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


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.PLAIN])
@pytest.mark.parametrize(("verbose", "lines"), [(False, LINES), (True, VERBOSE)])
def test_plain_has_one_line_for_each_event_that_matters(
    mode: Mode, verbose: bool, lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _show(EVENTS, mode, verbose=verbose)
    assert tuple(capsys.readouterr()) == ("", lines)


def test_quiet_shows_no_event(capsys: pytest.CaptureFixture[str]) -> None:
    _show(EVENTS, Mode.QUIET)
    assert tuple(capsys.readouterr()) == ("", "")


def test_json_is_one_document_for_each_event(capsys: pytest.CaptureFixture[str]) -> None:
    _show(EVENTS, Mode.JSON)
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(line) for line in err.splitlines()] == [asdict(event) for event in EVENTS]


def test_a_long_line_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    _show([Event(Kind.READY, "store", "x" * 500)])
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_live_is_a_table_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    waiting = [Event(Kind.WAITING, name, "nothing listens yet", detail=True) for name in ("store", "exporter")]
    ready = [Event(Kind.READY, "exporter", "running", detail=True), Event(Kind.READY, "front", "answered", 2.0)]
    failed = Event(Kind.FAILED, "store", "exited with code 3", 2.5)

    def work() -> None:
        with display(Mode.AUTO) as sink:
            for event in waiting:
                sink(event)
            sink.refresh()
            for event in (*ready, failed):
                sink(event)
            sink.refresh()

    seen = _on_a_terminal(monkeypatch, work)
    above, _, table = seen.rpartition("✘ failed")
    assert "exporter" in above
    assert "✘ failed store: exited with code 3" in above
    assert "front" in table
    assert "exporter" not in table
    assert table.endswith("\x1b[2K")  # wiped at the end


def _pulling(subject: str, done: int, total: int) -> Event:
    return Event(Kind.PULLING, subject, "from Docker Hub", 1.0, detail=True, done=done, total=total)


def test_live_has_a_bar_for_each_image_and_one_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")

    def work() -> None:
        with display(Mode.AUTO) as sink:
            sink(_pulling("toy/store:1", 2_000_000, 8_000_000))
            sink(_pulling("toy/shop:3", 0, 0))
            sink.refresh()
            sink(_pulling("toy/shop:3", 1_000_000, 4_000_000))
            sink(Event(Kind.READY, "toy/store:1", "pulled", 2.0, done=8_000_000, total=8_000_000))
            sink(Event(Kind.WAITING, "toy/shop:3", "unexpected EOF; next attempt in 2 s", 2.0, done=1, total=4))
            sink.refresh()
            sink(Event(Kind.WORKING, "store", "creating: not there yet", 3.0, detail=True))
            sink.refresh()

    seen = _on_a_terminal(monkeypatch, work)
    first, _, rest = seen.partition("all images")
    assert [line.split("  ")[-1].strip() for line in first.splitlines() if "toy/store:1" in line] == [
        "2.0 MB of 8.0 MB"
    ]
    assert "━" in first
    rest, _, last = rest.partition("all images")
    assert "2.0 MB of 8.0 MB" in rest
    assert "✔ ready" in rest
    assert "8.0 MB of 8.0 MB" in rest
    assert "unexpected EOF; next attempt in 2 s" in rest
    assert "toy/" not in last.partition("creating")[0].rpartition("store")[2]
    assert "toy/" not in last


def test_up_of_all_services_is_at_most_twenty_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the real declarations, each component with every event that it can have on the way."""
    catalogue = services.load()
    components = catalogue.components()
    keys = list(components)
    steps = [(Kind.WORKING, "creating: not there yet"), (Kind.WAITING, "nothing listens yet")]
    events = [Event(kind, key, text, 1.0, detail=True) for key in keys for kind, text in steps]
    events += [Event(Kind.READY, key, "answers", 2.0, components[key].role is not Role.SERVER) for key in keys]
    notes = [
        Event(Kind.NOTE, "", text) for text in ("engine: docker, because Docker answers", "services: …", "engine: …")
    ]
    _show([*notes, *events])
    plan = Plan(tuple(catalogue.services), (Step("x", Action.CREATE, "not there yet"),), {}, frozenset())
    outcome = Outcome(ready=tuple(keys), failed={}, waiting={}, seconds=20.0, stubs=("grafana",))
    view.up(UpReport(plan, outcome, ()), waited=True)
    assert len(capsys.readouterr().err.splitlines()) <= 20


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
