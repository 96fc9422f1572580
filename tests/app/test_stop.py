"""`down`, `restart`, `clean` and the names that `logs` takes."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.app import stop, up
from arcctl.errors import UnknownService
from tests.app.fakes import Toy
from tests.core.toy import TOY


@pytest.fixture
def toy() -> Toy:
    """A shop and its store, running."""
    toy = Toy()
    asyncio.run(up.run(up.Request(words=("big-shop",), timeout=5.0), toy.world()))
    toy.engine.calls.clear()
    return toy


def test_restart_touches_what_exists_and_says_what_that_was(toy: Toy) -> None:
    assert stop.restart((), toy.world()) == ("big-shop", "store")
    assert toy.engine.calls == ["restart big-shop store"]


@pytest.mark.parametrize("verb", [stop.restart, stop.down])
def test_what_does_not_exist_is_left_alone(toy: Toy, verb: object) -> None:
    assert callable(verb)
    assert verb(("front",), toy.world()) == ()
    assert toy.engine.calls == []


@pytest.mark.parametrize("verb", [stop.restart, stop.down])
def test_an_unknown_name_touches_nothing(toy: Toy, verb: object) -> None:
    assert callable(verb)
    with pytest.raises(UnknownService, match="unknown service 'stor'"):
        verb(("store", "stor"), toy.world())
    assert toy.engine.calls == []


def test_down_of_everything_removes_it_and_says_what_it_was(toy: Toy) -> None:
    assert stop.down((), toy.world()) == ("big-shop", "shop-db", "shop-exporter", "store")
    assert (toy.engine.calls, toy.home.up) == (["down"], frozenset())


def test_down_of_a_layer_leaves_the_other(toy: Toy) -> None:
    assert stop.down(("platform",), toy.world()) == ("shop-db", "shop-exporter", "big-shop")
    assert toy.home.up == {"store"}


def test_after_down_an_up_starts_what_was_stopped(toy: Toy) -> None:
    stop.down(("store",), toy.world())
    asyncio.run(up.run(up.Request(words=("store",), timeout=5.0), toy.world()))
    assert toy.engine.calls == ["stop store", "start store"]


def test_clean_keeps_the_secrets(toy: Toy) -> None:
    kept = dict(toy.home.kept)
    stop.clean(toy.world())
    assert (toy.engine.calls, toy.home.kept, toy.home.up) == (["down with volumes"], kept, frozenset())


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("store",), ("store",)),
        (("shop-db",), ("shop-db",)),
        (("store", "shop-db"), ("shop-db", "store")),
        (("all",), ("big-shop", "front", "store")),
        (("platform", "shop-exporter"), ("shop-exporter", "big-shop", "front")),
    ],
    ids="+".join,
)
def test_logs_are_asked_of_services_by_word_and_of_helpers_by_name(
    words: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    assert stop.log_keys(words, TOY) == keys
