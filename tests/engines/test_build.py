"""`engine build`: builds what is missing, the longest first, and names what cannot be built."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from arcctl.engines import build as use_case
from arcctl.engines.base import Availability, ServerState
from arcctl.errors import BuildError
from arcctl.events import Event, Kind
from tests.fakes.catalogue import TOY


class FakeServers:
    """Servers of the toy catalogue; notes the order of the builds and how many ran at once."""

    def __init__(self, *availabilities: Availability, broken: str = "") -> None:
        self._servers, self._broken = availabilities, broken
        self.built: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def availabilities(self) -> tuple[Availability, ...]:
        return self._servers

    def build(self, source: str) -> Iterator[str]:
        with self._lock:
            self.built.append(source)
            self._now += 1
            self.most = max(self.most, self._now)
        yield f"building {source}"
        threading.Event().wait(0.05)
        with self._lock:
            self._now -= 1
        if source == self._broken:
            raise BuildError("go ended with 1", hint="read the log")

    def size(self) -> int:
        return 0

    def used_by(self) -> tuple[str, ...]:
        return ()

    def clean(self) -> None:
        """Nothing is kept."""


def _server(service: str, state: ServerState, minutes: int = 1, name: str = "") -> Availability:
    missing = state in (ServerState.MISSING_TOOLS, ServerState.UNSUPPORTED)
    return Availability(
        service=service,
        process=name or service,
        state=state,
        source=None if state is ServerState.UNSUPPORTED else name or service,
        minutes=minutes,
        reason="go is missing" if missing else "",
        command="install go" if missing else "",
    )


def _build(servers: FakeServers, *words: str) -> tuple[tuple[str, ...], list[Event]]:
    events: list[Event] = []
    return use_case.build(words, TOY, servers, events.append), events


def test_the_longest_build_starts_first_and_at_most_two_run_at_once() -> None:
    servers = FakeServers(
        _server("store", ServerState.BUILDABLE, 2),
        _server("big-shop", ServerState.BUILDABLE, 7),
        _server("front", ServerState.AUTOMATIC, 0),
        _server("front", ServerState.BUILT, 9, name="mail"),
    )
    built, events = _build(servers)
    assert built == ("big-shop", "store", "front")
    assert servers.built[0] == "big-shop"
    assert (sorted(servers.built), servers.most) == (["big-shop", "front", "store"], 2)
    assert {e.subject for e in events if e.kind is Kind.READY} == {"big-shop", "store", "front"}


def test_only_named_services_and_what_they_need_are_built() -> None:
    servers = FakeServers(_server("store", ServerState.BUILDABLE), _server("front", ServerState.BUILDABLE))
    assert _build(servers, "store")[0] == ("store",)


def test_a_build_that_fails_is_reported_after_the_others_ended() -> None:
    servers = FakeServers(
        _server("store", ServerState.BUILDABLE, 5), _server("front", ServerState.BUILDABLE, 1), broken="store"
    )
    events: list[Event] = []
    with pytest.raises(BuildError, match="go ended with 1"):
        use_case.build((), TOY, servers, events.append)
    ends = {e.subject: e.kind for e in events if e.kind in (Kind.READY, Kind.FAILED)}
    assert ends == {"store": Kind.FAILED, "front": Kind.READY}


def test_a_server_that_cannot_be_built_is_noted_or_refused_where_it_was_named() -> None:
    servers = FakeServers(_server("store", ServerState.UNSUPPORTED), _server("front", ServerState.MISSING_TOOLS))
    built, events = _build(servers)
    assert built == ()
    assert [e.message for e in events] == [
        "not built: store: go is missing (install go)",
        "not built: front: go is missing (install go)",
    ]
    with pytest.raises(BuildError, match="front cannot be built here: go is missing") as caught:
        _build(servers, "front")
    assert caught.value.hint == "install go"
