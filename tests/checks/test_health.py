"""`health` on a toy platform."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from arcctl.checks import health
from arcctl.engines.base import Executed, Unavailable
from arcctl.errors import EngineError
from arcctl.lifecycle import down, up
from arcctl.model.probe import Answer
from arcctl.model.service import Catalogue
from arcctl.project import Target
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeProber, Toy

LOOKING = Catalogue(
    {
        key: replace(service, container=replace(service.container, has_nc=key in ("store", "front")))
        for key, service in TOY.services.items()
    }
)


def running(*words: str, answers: dict[int, Answer] | None = None) -> Toy:
    toy = Toy()
    asyncio.run(up.up(up.Request(words=words, timeout=5.0), toy.project()))
    toy.prober = FakeProber(answers or {})
    toy.engine.calls.clear()
    return toy


def status(toy: Toy, *words: str) -> tuple[str, dict[str, str]]:
    report = asyncio.run(health.health(health.Request(words=words), toy.project()))
    return report.status.value, {v.name: v.status.value for v in report.services}


def test_a_service_that_was_never_started_is_unknown_and_counts_only_when_named() -> None:
    toy = running("store")
    assert status(toy) == ("healthy", {"big-shop": "unknown", "front": "unknown", "store": "healthy"})
    assert status(toy, "front") == ("unknown", {"front": "unknown"})


def test_a_service_that_was_started_and_is_gone_is_unhealthy() -> None:
    toy = running("store")
    del toy.engine.states["store"]
    assert status(toy) == ("unhealthy", {"big-shop": "unknown", "front": "unknown", "store": "unhealthy"})


def test_what_cannot_run_here_need_not_be_seen_unless_it_is_named_or_runs() -> None:
    toy = running("store")
    toy.engine.unavailable = dict.fromkeys(("store", "big-shop", "front"), Unavailable("it was not built"))
    report = asyncio.run(health.health(health.Request(), toy.project()))
    assert report.unavailable(()) == ("big-shop", "front")
    assert report.unavailable(("front",)) == ("big-shop",)
    assert [verdict.name for verdict in report.services] == ["big-shop", "front", "store"]


def test_a_service_that_was_stopped_and_removed_afterwards_is_unknown() -> None:
    toy = running("store", "big-shop")
    down.down(("store",), toy.project())
    del toy.engine.states["store"]
    assert status(toy)[1]["store"] == "unknown"


def test_a_service_that_up_has_not_created_yet_is_unknown() -> None:
    """The time of an earlier start says nothing of a container that `up` is about to create."""
    toy = running("store")
    toy.engine.states.clear()
    toy.engine.create = lambda *keys, **how: None  # type: ignore[method-assign]
    toy.engine.start = lambda *keys: None  # type: ignore[method-assign]
    asyncio.run(up.up(up.Request(words=("store",), wait=False), toy.project()))
    assert status(toy, "store")[0] == "unknown"


def looks(toy: Toy, code: int = 0, printed: str = "") -> list[str]:
    """The containers that look at others, where each look ends so."""
    toy.engine.executed = Executed(code, printed.encode())
    report = asyncio.run(health.health(health.Request(), replace(toy.project(), catalogue=LOOKING)))
    assert {v.name for v in report.services} == {"big-shop", "front", "store"}
    return [line.split(":")[0].removeprefix("execute ") for line in toy.engine.calls if line.startswith("execute")]


@pytest.mark.parametrize(
    ("code", "printed", "places"),
    [
        (0, "", ["front"]),
        (0, "store:7000", ["front"]),
        (0, "store:7000 big-shop:8080", ["front", "store"]),
        (3, "", ["front", "store"]),
    ],
    ids=["all reached", "one not reached", "nobody reached", "cannot look"],
)
def test_a_second_container_looks_where_the_first_one_says_too_little(
    code: int, printed: str, places: list[str]
) -> None:
    assert looks(running("front"), code, printed) == places


def test_an_engine_that_refuses_to_look_is_no_failure() -> None:
    toy = running("front")

    def refuse(*args: object, **options: object) -> Executed:
        raise EngineError("the container is paused")

    toy.engine.execute = refuse  # type: ignore[method-assign]
    assert looks(toy) == []


def test_nothing_started_is_never_healthy() -> None:
    toy = running("store")
    asyncio.run(health.health(health.Request(), toy.project()))
    down.down((), toy.project())
    toy.engine.states.clear()
    assert status(toy)[0] == "unknown"


def test_services_name_the_root_cause_that_they_depend_on() -> None:
    toy = running("front", answers={7000: Answer(False, "LOADING"), 8080: Answer(False, "HTTP 500")})
    report = asyncio.run(health.health(health.Request(), toy.project()))
    assert {v.name: (v.status.value, v.blocked_by) for v in report.services} == {
        "store": ("unhealthy", ()),
        "big-shop": ("unhealthy", ("store",)),
        "front": ("degraded", ("store",)),
    }


@pytest.mark.parametrize(("strict", "passed"), [(False, True), (True, False)])
def test_degraded_passes_unless_strict(strict: bool, passed: bool) -> None:
    toy = running("front", answers={7000: Answer(False, "LOADING")})
    report = asyncio.run(health.health(health.Request(words=("front",)), toy.project()))
    assert health.passed(report, strict=strict) is passed


def test_a_slow_engine_leaves_services_time_to_answer() -> None:
    toy, given = running("store"), list[float]()

    class Timed(FakeProber):
        async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]:
            given.append(timeout)
            return await super().ask(targets, timeout)

    toy.prober = Timed()
    asyncio.run(health.health(health.Request(deadline=0.1), toy.project()))
    assert given == [health.SHORTEST]
