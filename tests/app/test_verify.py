"""`verify`: whose verdict a step is, and what is left to show where a service cannot be."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from arcctl.app import verify
from arcctl.core.model import Catalogue
from arcctl.core.observed import Unavailable
from arcctl.core.proof import Call, Calls, Outcome, Report
from tests.app.fake_prover import FakeProver
from tests.app.fakes import FakeEngine, Toy
from tests.core.toy import SHOP, STORE, TOY

WORK = Call(name="work", port=8080, path="/work")
FIND = Call(name="find it stored", port=7000, path="/", at=STORE.id)
PROOF = Calls(steps=(WORK, FIND))


def _verify(prover: FakeProver, *, missing: str = "") -> Report:
    """A shop that shows its work by what the store has of it."""
    unavailable = {missing: Unavailable("must be built first")} if missing else {}
    engine = FakeEngine(TOY, unavailable=unavailable)
    engine.start({"store", "big-shop"} - {missing})
    toy = Toy(engine=engine, prover=prover)
    toy.home.kept = {"STORE_PASSWORD": "of-the-store-and-long", "BIG_SHOP_TOKEN": "of-the-shop-and-as-long"}
    catalogue = Catalogue({"big-shop": replace(SHOP, proofs=lambda env: (PROOF,)), "store": STORE})
    return asyncio.run(verify.run(verify.Request(), replace(toy.world(), catalogue=catalogue)))


def _told(report: Report) -> dict[str, tuple[Outcome, str]]:
    return {verdict.service: (verdict.outcome, verdict.reason) for verdict in report.services}


def test_a_step_speaks_for_the_service_that_was_asked_and_for_the_one_that_is_proved() -> None:
    good, bad = _verify(FakeProver()), _verify(FakeProver(broken=frozenset({"store"})))
    assert (good.passed, _told(good)) == (
        True,
        {"store": (Outcome.PROVED, ""), "big-shop": (Outcome.PROVED, "")},
    )
    assert (bad.passed, _told(bad)) == (
        False,
        {
            "store": (Outcome.BROKEN, "find it stored: no answer"),
            "big-shop": (Outcome.BROKEN, "find it stored at store: no answer"),
        },
    )


def test_what_goes_through_a_service_that_cannot_be_here_is_not_asked_and_the_rest_is_shown() -> None:
    report = _verify(FakeProver(), missing="store")
    assert _told(report) == {
        "store": (Outcome.SKIPPED, "not available here: must be built first"),
        "big-shop": (Outcome.PROVED, ""),
    }
    assert report.passed
