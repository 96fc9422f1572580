"""`health`, `down`, `restart` and `clean` on a toy platform."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.app import health, stop, up
from arcctl.core.probe import Answer
from tests.app.fakes import FakeProber, Toy


def running(*words: str, answers: dict[int, Answer] | None = None) -> Toy:
    toy = Toy()
    asyncio.run(up.run(up.Request(words=words, timeout=5.0), toy.world()))
    toy.prober = FakeProber(answers or {})
    toy.engine.calls.clear()
    return toy


def status(toy: Toy, *words: str) -> tuple[str, dict[str, str]]:
    report = asyncio.run(health.run(health.Request(words=words), toy.world()))
    return report.status.value, {v.name: v.status.value for v in report.services}


def test_what_was_never_started_is_unknown_and_does_not_count_until_it_is_named() -> None:
    toy = running("store")
    assert status(toy) == ("healthy", {"big-shop": "unknown", "front": "unknown", "store": "healthy"})
    assert status(toy, "front") == ("unknown", {"front": "unknown"})


def test_what_was_started_and_is_gone_counts() -> None:
    toy = running("store")
    del toy.engine.states["store"]
    assert status(toy)[0] == "unknown"


def test_nothing_started_is_never_healthy() -> None:
    toy = running("store")
    asyncio.run(health.run(health.Request(), toy.world()))
    stop.down((), toy.world())
    toy.engine.states.clear()
    assert status(toy)[0] == "unknown"


def test_the_root_cause_is_named_by_those_who_stand_on_it() -> None:
    toy = running("front", answers={7000: Answer(False, "LOADING"), 8080: Answer(False, "HTTP 500")})
    report = asyncio.run(health.run(health.Request(), toy.world()))
    assert {v.name: (v.status.value, v.blocked_by) for v in report.services} == {
        "store": ("unhealthy", ()),
        "big-shop": ("unhealthy", ("store",)),
        "front": ("degraded", ("store",)),
    }


@pytest.mark.parametrize(("strict", "passed"), [(False, True), (True, False)])
def test_degraded_passes_unless_it_is_held_against_it(strict: bool, passed: bool) -> None:
    toy = running("front", answers={7000: Answer(False, "LOADING")})
    report = asyncio.run(health.run(health.Request(words=("front",)), toy.world()))
    assert health.passed(report, strict=strict) is passed


def test_down_keeps_volumes_and_forgets_what_was_started() -> None:
    toy = running("store")
    assert stop.down((), toy.world()) == ("store",)
    assert (toy.engine.calls, toy.home.up) == (["down"], frozenset())


def test_down_of_one_service_stops_it_and_its_helpers_only() -> None:
    toy = running("big-shop")
    assert stop.down(("big-shop",), toy.world()) == ("shop-db", "shop-exporter", "big-shop")
    assert (toy.engine.calls, toy.home.up) == (["stop shop-db shop-exporter big-shop"], frozenset({"store"}))


def test_clean_takes_the_data_too() -> None:
    toy = running("store")
    stop.clean(toy.world())
    assert toy.engine.calls == ["down with volumes"]
