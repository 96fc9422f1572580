"""`engine build`: what is wanted is made, the long ones first, and what cannot be made is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from arcctl.app import servers as use_case
from arcctl.core.events import Event, Kind
from arcctl.core.sources import GoModule, Offer, Readiness, Source
from arcctl.errors import BuildError
from tests.core.toy import TOY


def _source(name: str, minutes: int) -> GoModule:
    return GoModule(name=name, module="m", version="v1", program=name, minutes=minutes)


class FakeServers:
    """Offers for the toy catalogue; making notes the order and how many went on at once."""

    def __init__(self, *offers: Offer, broken: str = "") -> None:
        self._offers, self._broken = offers, broken
        self.made: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def offers(self) -> tuple[Offer, ...]:
        return self._offers

    def make(self, source: Source) -> Iterator[str]:
        with self._lock:
            self.made.append(source.name)
            self._now += 1
            self.most = max(self.most, self._now)
        yield f"making {source.name}"
        threading.Event().wait(0.05)
        with self._lock:
            self._now -= 1
        if source.name == self._broken:
            raise BuildError("go ended with 1", hint="read the log")

    def size(self) -> int:
        return 0

    def clean(self) -> None:
        """Nothing is kept."""


def _offer(service: str, readiness: Readiness, minutes: int = 1, name: str = "") -> Offer:
    source = None if readiness is Readiness.NOWHERE else _source(name or service, minutes)
    lacking = ("go",) if readiness is Readiness.LACKING else ()
    return Offer(service=service, key=name or service, source=source, readiness=readiness, lacking=lacking)


def _build(servers: FakeServers, *words: str) -> tuple[list[str], list[Event]]:
    told: list[Event] = []
    made = use_case.build(words, TOY, servers, told.append)
    return [source.name for source in made], told


def test_the_longest_is_begun_first_and_never_more_than_two_at_once() -> None:
    servers = FakeServers(
        _offer("store", Readiness.BUILDABLE, 2),
        _offer("big-shop", Readiness.BUILDABLE, 7),
        _offer("front", Readiness.QUICK, 0),
        _offer("front", Readiness.READY, 9, name="mail"),
    )
    made, told = _build(servers)
    assert made == ["big-shop", "store", "front"]
    assert servers.made[0] == "big-shop"
    assert (sorted(servers.made), servers.most) == (["big-shop", "front", "store"], 2)
    assert {e.subject for e in told if e.kind is Kind.READY} == {"big-shop", "store", "front"}


def test_only_the_named_and_what_they_need_is_made() -> None:
    servers = FakeServers(_offer("store", Readiness.BUILDABLE), _offer("front", Readiness.BUILDABLE))
    assert _build(servers, "store")[0] == ["store"]


def test_one_that_fails_is_told_with_the_tools_words_after_the_others_ended() -> None:
    servers = FakeServers(
        _offer("store", Readiness.BUILDABLE, 5), _offer("front", Readiness.BUILDABLE, 1), broken="store"
    )
    told: list[Event] = []
    with pytest.raises(BuildError, match="go ended with 1"):
        use_case.build((), TOY, servers, told.append)
    ends = {e.subject: e.kind for e in told if e.kind in (Kind.READY, Kind.FAILED)}
    assert ends == {"store": Kind.FAILED, "front": Kind.READY}


def test_what_cannot_be_built_is_noted_and_refused_where_it_was_named() -> None:
    servers = FakeServers(_offer("store", Readiness.NOWHERE), _offer("front", Readiness.LACKING))
    made, told = _build(servers)
    assert made == []
    assert [e.message for e in told] == [
        "not built: store: no package brings this server (arcctl --engine docker up store)",
        "not built: front: building front takes go (install go, then arcctl engine build front)",
    ]
    with pytest.raises(BuildError, match="front cannot be built here: building front takes go") as caught:
        _build(servers, "front")
    assert caught.value.hint == "install go, then arcctl engine build front"
