"""`verify`: which service a step counts for, and what is tested where a service is not available."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from arcctl.checks import verify, view
from arcctl.checks.verify_report import Outcome, Report
from arcctl.engines.base import Unavailable
from arcctl.model.service import Catalogue
from arcctl.model.smoke_test import Call, Calls
from tests.fakes.catalogue import SHOP, STORE, TOY
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import FakeEngine, Toy

WORK = Call("work", 8080, "/work")
FIND = Call("find it stored", 7000, "/", at=STORE.id)
SMOKE_TEST = Calls((WORK, FIND))


def _verify(smoke_test_runner: FakeSmokeTestRunner, *, missing: str = "") -> Report:
    """A smoke test of the shop goes through the store."""
    unavailable = {missing: Unavailable("must be built first")} if missing else {}
    engine = FakeEngine(TOY, unavailable=unavailable)
    engine.start({"store", "big-shop"} - {missing})
    toy = Toy(engine=engine, smoke_test_runner=smoke_test_runner)
    toy.directory.kept = {"STORE_PASSWORD": "of-the-store-and-long", "BIG_SHOP_TOKEN": "of-the-shop-and-as-long"}
    shop = replace(SHOP, checks=replace(SHOP.checks, smoke_tests=lambda env: (SMOKE_TEST,)))
    catalogue = Catalogue({"big-shop": shop, "store": STORE})
    return asyncio.run(verify.verify(verify.Request(), replace(toy.project(), catalogue=catalogue)))


def _outcomes(report: Report) -> dict[str, tuple[Outcome, str]]:
    return {verdict.name: (verdict.outcome, verdict.reason) for verdict in report.services}


def test_a_step_counts_for_the_tested_service_and_for_the_one_it_calls() -> None:
    good, bad = _verify(FakeSmokeTestRunner()), _verify(FakeSmokeTestRunner(failing=frozenset({"store"})))
    assert (good.passed, _outcomes(good)) == (
        True,
        {"store": (Outcome.PASSED, ""), "big-shop": (Outcome.PASSED, "")},
    )
    assert (bad.passed, _outcomes(bad)) == (
        False,
        {
            "store": (Outcome.FAILED, "find it stored: no answer"),
            "big-shop": (Outcome.FAILED, "find it stored at store: no answer"),
        },
    )


def test_a_report_names_the_stubs_and_counts_the_outcomes() -> None:
    report = _verify(FakeSmokeTestRunner(), missing="store")
    assert report.summary == {"passed": 1, "failed": 0, "skipped": 1}
    shop, store = sorted(report.services, key=lambda verdict: verdict.name)
    assert (report.stubs, replace(report, services=(replace(shop, stub=True), store)).stubs) == ((), ("big-shop",))


def test_steps_through_an_unavailable_service_are_left_out() -> None:
    report = _verify(FakeSmokeTestRunner(), missing="store")
    assert _outcomes(report) == {
        "store": (Outcome.SKIPPED, "not available here: must be built first"),
        "big-shop": (Outcome.PASSED, ""),
    }
    assert report.passed


def test_what_cannot_run_here_need_not_be_seen_unless_it_is_named() -> None:
    report = _verify(FakeSmokeTestRunner(), missing="store")
    assert report.skipped({"store"}, ()) == ("store",)
    assert report.skipped({"store"}, ("store",)) == ()
    assert report.skipped((), ()) == ()


@pytest.mark.usefixtures("plain_streams")
def test_what_is_left_out_shares_one_line_and_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    report = _verify(FakeSmokeTestRunner(), missing="store")
    view.show_verify(report, ("store",))
    rows, line, summed_up = capsys.readouterr().out.split("\n\n")
    assert "store " not in rows
    assert line == "not available here: store (what each needs: arcctl engine list)"
    assert "skipped" not in summed_up
    assert view.verify_markdown(report, ("store",)).endswith(f"\n\n{line}\n\n")
