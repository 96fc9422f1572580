"""What is set up, when, and what is kept of it."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.engines.base import ContainerState
from arcctl.lifecycle import bootstrap, clean, up
from arcctl.lifecycle.report import BootstrapReport, UpReport
from arcctl.model.resource import ResourceResult, State
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import Toy

RUNNING = ContainerState(state="running", ports={7000: 7000})
MADE = [
    "working store creating shelf",
    "ready store created shelf",
    "working store creating ticket",
    "ready store created ticket",
]


def _stopped() -> Toy:
    toy = Toy()
    toy.directory.kept["STORE_PASSWORD"] = "the-password"
    toy.directory.kept |= {"BIG_SHOP_TOKEN": "token-of-the-shop-for-these-tests"}
    return toy


def _running() -> Toy:
    toy = _stopped()
    toy.engine.states["store"] = RUNNING
    return toy


def _run(toy: Toy, *words: str, check: bool = False) -> BootstrapReport:
    return asyncio.run(bootstrap.bootstrap(bootstrap.Request(words, check), toy.project()))


def _states(report: BootstrapReport) -> list[str]:
    return [f"{f.service} {f.resource}: {f.state}" for f in report.resources]


def _up(toy: Toy) -> UpReport:
    return asyncio.run(up.up(up.Request(words=("store",)), toy.project()))


def test_missing_resources_are_created_once() -> None:
    toy = _running()
    assert _states(_run(toy)) == ["store shelf: created", "store ticket: created"]
    assert toy.printed == MADE
    assert _states(_run(toy)) == ["store shelf: exists", "store ticket: exists"]


def test_a_value_that_a_server_issues_once_is_kept_with_the_secrets() -> None:
    toy = _running()
    _run(toy)
    assert toy.directory.kept["STORE_TICKET"] == "issued-ticket"


def test_a_check_creates_nothing_and_reports_what_is_missing() -> None:
    toy = _running()
    report = _run(toy, check=True)
    assert (report.passed, _states(report)) == (False, ["store shelf: missing", "store ticket: missing"])
    assert (toy.smoke_test_runner.created, toy.directory.bootstrapped()) == (set(), frozenset())


def test_resources_after_a_refused_one_are_not_tried() -> None:
    toy = _running()
    toy.smoke_test_runner = FakeSmokeTestRunner(refusing=frozenset({"shelf"}))
    report = _run(toy)
    assert report.resources == (
        ResourceResult(
            service="store", resource="shelf", state=State.REFUSED, reason="shelf is not there", hint="build it by hand"
        ),
    )
    assert (report.passed, toy.directory.bootstrapped()) == (False, frozenset())
    assert toy.printed == [
        "working store creating shelf",
        "warning store shelf could not be created: shelf is not there (build it by hand)",
    ]


@pytest.mark.parametrize(("words", "passed"), [((), True), (("store",), False)])
def test_a_service_that_does_not_run_is_skipped_and_counts_only_where_it_was_named(
    words: tuple[str, ...], passed: bool
) -> None:
    report = _run(_stopped(), *words)
    reason = "not started (arcctl up store)"
    assert report.resources == (ResourceResult(service="store", resource="all", state=State.SKIPPED, reason=reason),)
    assert report.passed is passed


def test_up_sets_up_new_services_and_does_not_check_complete_ones_again() -> None:
    toy = Toy()
    assert [f.state for f in _up(toy).resources] == [State.CREATED, State.CREATED]
    assert _up(toy).resources == ()


def test_up_checks_recreated_services_again_and_all_after_clean() -> None:
    toy = Toy()
    _up(toy)
    del toy.engine.states["store"]
    assert [f.state for f in _up(toy).resources] == [State.EXISTS, State.EXISTS]
    clean.clean(toy.project())
    assert toy.directory.bootstrapped() == frozenset()


def test_it_waits_for_another_command_and_a_check_does_not() -> None:
    toy = _running()
    toy.directory.taken = 1
    _run(toy, check=True)
    assert toy.printed == []
    _run(toy)
    assert toy.printed == ["note another arcctl command is changing this project: waiting for it to end", *MADE]
