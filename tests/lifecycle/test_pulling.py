"""Pulls are tried again where the failure passes, and say what they wait for."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.engines.base import PullFailure
from arcctl.errors import EngineError
from arcctl.events import Kind
from arcctl.lifecycle import pulling
from arcctl.model.image import Image
from tests.fakes.images import FakeImages
from tests.fakes.toy import Toy

A, B, C = "toy/a:1", "ghcr.io/toy/b:1", "toy/c:1"
CUT = PullFailure(reason="unexpected EOF", hint="check the network", passing=True)
LOGIN = PullFailure(reason="ghcr.io wants a login", hint="docker login ghcr.io", passing=False)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "WAITS", (0.001, 0.002))


def _pull(**failures: list[PullFailure]) -> tuple[Toy, FakeImages]:
    toy = Toy()
    store = FakeImages(remote={reference: Image(reference=reference, id="x") for reference in (A, B, C)})
    store.failures = {{"a": A, "b": B, "c": C}[name]: given for name, given in failures.items()}
    toy.engine.image_store = store
    return toy, store


def _run(toy: Toy) -> None:
    asyncio.run(pulling.pull((A, B, C), toy.project(), "arcctl up"))


def test_what_failed_is_tried_again_after_a_while_and_the_others_are_not() -> None:
    toy, store = _pull(a=[CUT], c=[CUT, CUT])
    _run(toy)
    assert store.calls == [f"pull {A} {B} {C}", f"pull {A} {C}", f"pull {C}"]
    waited = "unexpected EOF; next attempt in 0 s"
    assert [f"{e.kind} {e.subject} {e.message}" for e in toy.events if not e.detail] == [
        f"pulling {A} from Docker Hub",
        f"pulling {B} from ghcr.io",
        f"ready {B} pulled",
        f"pulling {C} from Docker Hub",
        f"waiting {A} {waited}",
        f"waiting {C} {waited}",
        f"ready {A} pulled",
        f"waiting {C} {waited}",
        f"ready {C} pulled",
    ]


def test_events_have_the_bytes() -> None:
    toy, _ = _pull(a=[CUT])
    _run(toy)
    assert [(e.kind, e.done, e.total) for e in toy.events if e.subject == A] == [
        (Kind.PULLING, 0, 0),
        (Kind.PULLING, 2_000_000, 8_000_000),
        (Kind.FAILED, 2_000_000, 8_000_000),
        (Kind.WAITING, 2_000_000, 8_000_000),
        (Kind.PULLING, 0, 0),
        (Kind.PULLING, 2_000_000, 8_000_000),
        (Kind.READY, 8_000_000, 8_000_000),
    ]


def test_it_is_given_up_after_some_attempts() -> None:
    toy, store = _pull(a=[CUT] * 9, c=[CUT] * 9)
    with pytest.raises(EngineError) as caught:
        _run(toy)
    assert store.calls == [f"pull {A} {B} {C}", f"pull {A} {C}", f"pull {A} {C}"]
    assert caught.value.message == f"cannot pull {A}, {C}: unexpected EOF"
    assert caught.value.hint == "check the network, then arcctl up"


def test_what_does_not_pass_is_not_tried_again_and_the_others_are_pulled_first() -> None:
    toy, store = _pull(a=[CUT], b=[LOGIN])
    with pytest.raises(EngineError) as caught:
        _run(toy)
    assert store.calls == [f"pull {A} {B} {C}"]
    assert C in store.present
    assert caught.value.message == f"cannot pull {A}: unexpected EOF; {B}: ghcr.io wants a login"
    assert [(e.subject, e.message, e.detail) for e in toy.events if e.kind is Kind.FAILED] == [
        (A, CUT.reason, True),
        (B, LOGIN.reason, False),
    ]


def test_nothing_is_asked_for_no_image() -> None:
    toy = Toy()
    asyncio.run(pulling.pull((), toy.project(), "arcctl up"))
    assert toy.events == []
