"""The parts of a support bundle: each by itself, all through the redactor."""

from __future__ import annotations

import asyncio

from arcctl.app import support, up
from arcctl.core.redaction import HIDDEN, Redactor
from tests.app.fakes import FakeEngine, FakeHome, Toy
from tests.core.toy import TOY

SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}


def test_a_part_that_cannot_be_made_says_why_without_a_secret_and_keeps_no_other_back() -> None:
    def broken() -> str:
        raise RuntimeError("refused st0re-secret")

    parts = (("a", lambda: "is st0re-secret"), ("b", broken), ("c", lambda: "fine"))
    assert support.gather(parts, Redactor(SECRETS.values())) == {
        "a": f"is {HIDDEN}",
        "b": f"not available: RuntimeError: refused {HIDDEN}\n",
        "c": "fine",
    }


def test_there_is_a_log_for_everything_that_exists_and_none_without_an_engine() -> None:
    toy = Toy(home=FakeHome(kept=dict(SECRETS)))
    asyncio.run(up.run(up.Request(words=("store",), timeout=5.0), toy.world()))
    assert {name: make() for name, make in support.logs(toy.world())} == {"logs/store.log": "store: a line\n"}
    assert list(support.logs(Toy(engine=FakeEngine(TOY, away="no engine")).world())) == []


def test_the_plan_is_that_of_the_services_that_were_started_and_changes_nothing() -> None:
    toy = Toy(home=FakeHome(kept=dict(SECRETS), up=frozenset({"store"})))
    assert support.plan(toy.world()) == "services: store\ncreate store: does not exist\n"
    assert (toy.engine.calls, toy.events) == ([], [])
