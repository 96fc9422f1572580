"""Which service depends on which: order, closure, root causes, and what the words of a command line mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.errors import UnknownService, UsageError
from arcctl.model import graph
from arcctl.model.service import Layer
from tests.fakes.catalogue import SHOP, SHOP_DB, STORE, TOY, catalogue, plain

A = plain("a")
B = plain("b", A)
C = plain("c", A)
D = plain("d", C, B)
E = plain("e", layer=Layer.OBSERVABILITY)
DIAMOND = catalogue(A, B, C, D, E)


@pytest.mark.parametrize(
    ("asked", "started"),
    [
        ((), ()),
        (("a",), ("a",)),
        (("b",), ("a", "b")),
        (("d",), ("a", "c", "b", "d")),
        (("d", "e", "a"), ("a", "e", "c", "b", "d")),
    ],
    ids=lambda names: "+".join(names) or "nothing",
)
def test_closure_is_all_that_is_needed_each_after_what_it_needs(
    asked: tuple[str, ...], started: tuple[str, ...]
) -> None:
    found = graph.closure(asked, DIAMOND)
    assert set(found) == set(started)
    assert all(found.index(n.id) < found.index(i) for i in found for n in DIAMOND.services[i].needs)


def test_the_order_is_the_same_each_time() -> None:
    assert {graph.start_order(DIAMOND) for _ in range(20)} == {graph.start_order(DIAMOND)}


def test_a_service_added_on_top_moves_no_other() -> None:
    """The supervisor restarts a process whose place changed."""
    low = plain("low")
    middle = plain("middle", low)
    before = graph.heights(catalogue(low, middle))
    assert before == {"low": 1, "middle": 2}
    assert graph.heights(catalogue(plain("a", middle), low, middle, plain("z", low))) == before | {"a": 3, "z": 2}


def test_a_circle_is_shown_as_one() -> None:
    ring = catalogue(plain("a", B), B)
    with pytest.raises(UsageError) as caught:
        graph.start_order(ring)
    assert caught.value.message in (
        "services depend on each other in a circle: a -> b -> a",
        "services depend on each other in a circle: b -> a -> b",
    )


def test_helpers_come_before_their_service_and_those_aside_after_it() -> None:
    assert graph.dependencies(TOY) == {
        "store": frozenset(),
        "shop-db": frozenset({"store"}),
        "big-shop": frozenset({"store", "shop-db"}),
        "shop-exporter": frozenset({"big-shop"}),
        "front": frozenset({"big-shop"}),
    }


def test_nothing_that_comes_first_waits_for_a_one_shot_that_stands_aside() -> None:
    sidecar = replace(SHOP_DB, id="later", after_server=True)
    found = graph.dependencies(catalogue(STORE, replace(SHOP, components=(sidecar, SHOP_DB))))
    assert found == {
        "store": frozenset(),
        "later": frozenset({"big-shop"}),
        "shop-db": frozenset({"store"}),
        "big-shop": frozenset({"store", "shop-db"}),
    }


def test_one_shots_run_one_after_the_other_as_they_are_listed() -> None:
    second = replace(SHOP_DB, id="second")
    found = graph.dependencies(catalogue(STORE, replace(SHOP, components=(SHOP_DB, second))))
    assert found["second"] == frozenset({"store", "shop-db"})


@pytest.mark.parametrize(
    ("name", "broken", "causes"),
    [
        ("d", (), ()),
        ("d", ("d",), ()),
        ("d", ("e",), ()),
        ("d", ("b",), ("b",)),
        ("d", ("c", "b"), ("c", "b")),
        ("d", ("a",), ("a",)),
        ("d", ("a", "b"), ("a",)),
        ("a", ("b",), ()),
    ],
)
def test_blame_goes_to_the_deepest_broken_service_once(
    name: str, broken: tuple[str, ...], causes: tuple[str, ...]
) -> None:
    assert graph.root_causes(name, dict.fromkeys(broken, True), DIAMOND) == causes


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ((), ()),
        (("all",), ("a", "b", "c", "d", "e")),
        (("platform",), ("a", "b", "c", "d")),
        (("observability",), ("e",)),
        (("d", "a", "d"), ("d", "a")),
        (("b", "platform"), ("b", "a", "c", "d")),
    ],
)
def test_words_are_names_layers_or_all_and_each_service_once(words: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    assert graph.resolve(words, DIAMOND) == chosen


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("stor", "did you mean store?"),
        ("bigshop", "did you mean big-shop?"),
        ("platfrom", "did you mean platform?"),
        ("zzz", "services: big-shop, front, store"),
    ],
)
def test_an_unknown_word_gets_the_nearest_name_or_the_whole_list(word: str, hint: str) -> None:
    with pytest.raises(UnknownService) as caught:
        graph.resolve([word], TOY)
    assert (caught.value.message, caught.value.hint) == (f"unknown service '{word}'", hint)


@pytest.mark.parametrize(
    ("words", "servers", "every"),
    [
        (("store",), ("store",), ("store",)),
        (("shop-db",), ("shop-db",), ("shop-db",)),
        (("store", "shop-db"), ("store", "shop-db"), ("store", "shop-db")),
        (("all",), ("big-shop", "front", "store"), ("shop-db", "shop-exporter", "big-shop", "front", "store")),
        (
            ("shop-exporter", "platform"),
            ("shop-exporter", "big-shop", "front"),
            ("shop-exporter", "shop-db", "big-shop", "front"),
        ),
    ],
    ids=["a service", "a component", "both", "all", "a layer"],
)
def test_words_stand_for_servers_or_all_containers_and_a_component_for_itself(
    words: tuple[str, ...], servers: tuple[str, ...], every: tuple[str, ...]
) -> None:
    assert graph.containers(words, TOY) == servers
    assert graph.containers(words, TOY, components=True) == every


def test_an_unknown_container_gets_the_nearest_component() -> None:
    with pytest.raises(UnknownService) as caught:
        graph.containers(["shop-exprter"], TOY)
    assert caught.value.hint == "did you mean shop-exporter?"


def test_a_component_that_this_engine_leaves_out_is_refused_with_the_reason() -> None:
    """It is offered by its name on the other engine."""
    shop = replace(TOY.services["big-shop"], components=(), left_out=TOY.services["big-shop"].components)
    with pytest.raises(UsageError) as caught:
        graph.containers((shop.left_out[0].id,), catalogue(shop), components=True)
    assert caught.value.message == f"{shop.left_out[0].id} runs in containers only"
