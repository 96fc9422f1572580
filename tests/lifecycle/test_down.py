"""`down` and `clean`: what stops, what is removed, and what stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from arcctl.errors import PreflightError, UnknownService
from arcctl.lifecycle import up
from arcctl.lifecycle.clean import clean
from arcctl.lifecycle.down import down
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeEngine, Toy


@pytest.fixture
def toy() -> Toy:
    """A shop and its store, running."""
    toy = Toy()
    asyncio.run(up.up(up.Request(words=("big-shop",), timeout=5.0), toy.project()))
    toy.engine.calls.clear()
    return toy


def test_what_does_not_exist_is_left_alone(toy: Toy) -> None:
    assert down(("front",), toy.project()) == ()
    assert toy.engine.calls == []


def test_an_unknown_name_stops_nothing_and_brings_the_nearest_component(toy: Toy) -> None:
    with pytest.raises(UnknownService, match="unknown service 'shop-exprter'") as caught:
        down(("store", "shop-exprter"), toy.project())
    assert (caught.value.hint, toy.engine.calls) == ("did you mean shop-exporter?", [])


def test_down_of_everything_removes_it_and_returns_what_it_was(toy: Toy) -> None:
    assert down((), toy.project()) == ("big-shop", "shop-db", "shop-exporter", "store")
    assert (toy.engine.calls, toy.directory.up) == (["down"], frozenset())


def test_down_where_another_engine_answers_forgets_nothing() -> None:
    toy = Toy(engine=FakeEngine(TOY, id="9c2", way="docker context use box"))
    toy.directory.remember_engine("fake", "4f1 docker context use default")
    with pytest.raises(PreflightError, match="in another fake engine") as caught:
        down((), toy.project())
    assert caught.value.hint == "docker context use default; arcctl down"
    assert (toy.engine.calls, toy.directory.runs_on) == ([], "fake")
    assert down((), replace(toy.project(), engine_named=True)) == ()
    assert toy.directory.runs_on == ""


def test_down_of_a_layer_leaves_the_other(toy: Toy) -> None:
    assert down(("platform",), toy.project()) == ("shop-db", "shop-exporter", "big-shop")
    assert toy.directory.up == {"store"}


def test_down_of_a_component_leaves_its_service(toy: Toy) -> None:
    assert down(("shop-exporter",), toy.project()) == ("shop-exporter",)
    assert toy.engine.calls == ["stop shop-exporter"]
    assert toy.directory.up == {"store", "big-shop"}


def test_after_down_an_up_starts_what_was_stopped(toy: Toy) -> None:
    down(("store",), toy.project())
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), toy.project()))
    assert toy.engine.calls == ["stop store", "start store"]


def test_clean_keeps_the_secrets(toy: Toy) -> None:
    kept = dict(toy.directory.kept)
    clean(toy.project())
    assert (toy.engine.calls, toy.directory.kept, toy.directory.up) == (["down with volumes"], kept, frozenset())


def test_down_keeps_volumes_and_forgets_what_was_started(toy: Toy) -> None:
    down((), toy.project())
    assert (toy.engine.calls, toy.directory.up) == (["down"], frozenset())


def test_down_of_one_service_stops_it_and_its_components_only(toy: Toy) -> None:
    assert down(("big-shop",), toy.project()) == ("shop-db", "shop-exporter", "big-shop")
    assert (toy.engine.calls, toy.directory.up) == (["stop shop-db shop-exporter big-shop"], frozenset({"store"}))


def test_clean_removes_the_volumes_too(toy: Toy) -> None:
    clean(toy.project())
    assert toy.engine.calls == ["down with volumes"]
