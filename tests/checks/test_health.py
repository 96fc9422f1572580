"""`health` on a toy platform."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.checks import health
from arcctl.lifecycle import down, up
from arcctl.model.probe import Answer
from tests.fakes.toy import FakeProber, Toy


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


def test_a_service_that_was_started_and_is_gone_counts() -> None:
    toy = running("store")
    del toy.engine.states["store"]
    assert status(toy)[0] == "unknown"


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
