"""What is set up, when, and what is kept of it."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.app import bootstrap, stop, up
from arcctl.core.bootstrap import Found, Report, State
from arcctl.core.observed import ContainerState
from tests.app.fake_prover import FakeProver
from tests.app.fakes import Toy

RUNNING = ContainerState(state="running", ports={7000: 7000})
MADE = [
    "working store making shelf",
    "ready store made shelf",
    "working store making ticket",
    "ready store made ticket",
]


def _stopped() -> Toy:
    toy = Toy()
    toy.home.kept["STORE_PASSWORD"] = "the-password"
    toy.home.kept |= {"BIG_SHOP_TOKEN": "token-of-the-shop-for-these-tests"}
    return toy


def _running() -> Toy:
    toy = _stopped()
    toy.engine.states["store"] = RUNNING
    return toy


def _run(toy: Toy, *words: str, check: bool = False) -> Report:
    return asyncio.run(bootstrap.run(bootstrap.Request(words, check), toy.world()))


def _states(report: Report) -> list[str]:
    return [f"{f.service} {f.resource}: {f.state}" for f in report.found]


def _up(toy: Toy) -> up.Result:
    return asyncio.run(up.run(up.Request(words=("store",)), toy.world()))


def test_what_is_missing_is_made_once_and_found_the_next_time() -> None:
    toy = _running()
    assert _states(_run(toy)) == ["store shelf: made", "store ticket: made"]
    assert toy.told == MADE
    assert _states(_run(toy)) == ["store shelf: there", "store ticket: there"]


def test_what_a_server_tells_once_is_kept_with_the_secrets() -> None:
    toy = _running()
    _run(toy)
    assert toy.home.kept["STORE_TICKET"] == "told-ticket"


def test_a_look_makes_nothing_and_says_what_is_missing() -> None:
    toy = _running()
    report = _run(toy, check=True)
    assert (report.passed, _states(report)) == (False, ["store shelf: missing", "store ticket: missing"])
    assert (toy.prover.held, toy.home.set_up()) == (set(), frozenset())


def test_nothing_that_builds_on_a_refused_resource_is_tried() -> None:
    toy = _running()
    toy.prover = FakeProver(refusing=frozenset({"shelf"}))
    report = _run(toy)
    assert report.found == (
        Found(
            service="store", resource="shelf", state=State.REFUSED, reason="shelf is not there", hint="build it by hand"
        ),
    )
    assert (report.passed, toy.home.set_up()) == (False, frozenset())
    assert toy.told == [
        "working store making shelf",
        "warning store refused shelf: shelf is not there (build it by hand)",
    ]


@pytest.mark.parametrize(("words", "passed"), [((), True), (("store",), False)])
def test_a_service_that_does_not_run_is_skipped_and_counts_only_where_it_was_named(
    words: tuple[str, ...], passed: bool
) -> None:
    report = _run(_stopped(), *words)
    reason = "is absent (arcctl up store)"
    assert report.found == (Found(service="store", resource="all", state=State.SKIPPED, reason=reason),)
    assert report.passed is passed


def test_up_sets_up_what_is_new_and_does_not_look_again_at_what_is_complete() -> None:
    toy = Toy()
    assert [f.state for f in _up(toy).found] == [State.MADE, State.MADE]
    assert _up(toy).found == ()


def test_up_looks_again_at_what_it_makes_anew_and_after_clean() -> None:
    toy = Toy()
    _up(toy)
    del toy.engine.states["store"]
    assert [f.state for f in _up(toy).found] == [State.THERE, State.THERE]
    stop.clean(toy.world())
    assert toy.home.set_up() == frozenset()


def test_it_waits_for_another_command_that_changes_the_home_and_a_look_does_not() -> None:
    toy = _running()
    toy.home.taken = 1
    _run(toy, check=True)
    assert toy.told == []
    _run(toy)
    assert toy.told == ["note another arcctl works on this home: waiting for it to end", *MADE]
