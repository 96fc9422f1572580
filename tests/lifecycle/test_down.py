"""`down` and `clean`: what stops, what is removed, and what stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from arcctl.errors import EngineError, PreflightError, UnknownService
from arcctl.lifecycle import up
from arcctl.lifecycle.clean import clean
from arcctl.lifecycle.down import down
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeDirectory, FakeEngine, Toy


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


class CutOff(FakeEngine):
    """Ctrl-C arrives while the engine stops something."""

    cut_off = True

    def stop(self, keys: Iterable[str]) -> None:
        super().stop(keys)
        if self.cut_off:
            raise KeyboardInterrupt


def test_the_next_up_waits_for_a_stop_that_was_cut_off() -> None:
    """The engine still carries it out: what is taken for running would be stopped afterwards."""
    engine = CutOff(TOY)
    toy = Toy(engine=engine)
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), toy.project()))
    with pytest.raises(KeyboardInterrupt):
        down(("store",), toy.project())
    assert toy.directory.stops == ("store",)
    engine.cut_off, engine.calls = False, []
    engine.states["store"] = replace(engine.states["store"], state="running")
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), toy.project()))
    assert engine.calls == ["stop store", "start store"]
    assert not toy.directory.stopping()
    assert "note finishing the interrupted stop of store" in toy.printed


def test_a_stop_that_the_engine_refuses_is_not_waited_for() -> None:
    toy = Toy()
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), toy.project()))

    def refuse(keys: Iterable[str]) -> None:
        raise EngineError("it rains")

    toy.engine.stop = refuse  # type: ignore[method-assign]
    with pytest.raises(EngineError):
        down(("store",), toy.project())
    assert toy.directory.stops == ()


def test_down_waits_for_another_command() -> None:
    toy = Toy(directory=FakeDirectory(taken=1))
    assert down((), toy.project()) == ()
    assert toy.printed == ["note another arcctl command is changing this project: waiting for it to end"]
