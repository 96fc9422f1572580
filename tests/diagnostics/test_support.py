"""The parts of a support bundle: each is made by itself, and all are redacted."""

from __future__ import annotations

import asyncio
import json

from arcctl.diagnostics import support
from arcctl.diagnostics.redaction import HIDDEN, Redactor
from arcctl.lifecycle import up
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeDirectory, FakeEngine, Toy

SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}


def test_a_part_that_fails_says_why_without_a_secret_and_the_others_are_made() -> None:
    def broken() -> str:
        raise RuntimeError("refused st0re-secret")

    parts = (("a", lambda: "is st0re-secret"), ("b", broken), ("c", lambda: "fine"))
    assert support.gather(parts, Redactor(SECRETS.values())) == {
        "a": f"is {HIDDEN}",
        "b": f"not available: RuntimeError: refused {HIDDEN}\n",
        "c": "fine",
    }


def test_each_container_has_a_log_and_there_are_none_without_an_engine() -> None:
    toy = Toy(directory=FakeDirectory(kept=dict(SECRETS)))
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), toy.project()))
    assert {name: make() for name, make in support.logs(toy.project())} == {"logs/store.log": "store: a line\n"}
    assert list(support.logs(Toy(engine=FakeEngine(TOY, away="no engine")).project())) == []


def test_the_plan_is_for_the_started_services_and_changes_nothing() -> None:
    toy = Toy(directory=FakeDirectory(kept=dict(SECRETS), up=frozenset({"store"})))
    assert support.plan(toy.project()) == "services: store\ncreate store: not there yet\n"
    assert (toy.engine.calls, toy.events) == ([], [])


def test_the_state_of_each_container_is_json_with_its_networks() -> None:
    toy = Toy(directory=FakeDirectory(kept=dict(SECRETS)))
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), toy.project()))
    shown = json.loads(support.containers(toy.project()))["store"]
    assert (shown["state"], shown["networks"]) == ("running", ["arc"])
