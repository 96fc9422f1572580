"""Which services a smoke test goes through, and what is left of it without some of them."""

from __future__ import annotations

import pytest

from arcctl.model.smoke_test import Call, Calls, Messaging, SmokeTest, Sql, services_exercised, without

WRITE = Call(name="write", port=8080, path="/")
FIND = Call(name="find it stored", port=7000, path="/", at="store")
THROUGH = Calls(steps=(WRITE, FIND))
ELSEWHERE = Sql(user="shop", password="", port=5432, database="shop", at="postgres", steps=())
OWN = Sql(user="shop", password="", port=5432, database="shop", steps=())
BUS = Messaging(port=4222, user="arc", password="")


@pytest.mark.parametrize(
    ("smoke_test", "services"),
    [
        (THROUGH, {"shop", "store"}),
        (Calls(steps=(WRITE,)), {"shop"}),
        (ELSEWHERE, {"shop", "postgres"}),
        (OWN, {"shop"}),
        (BUS, {"shop"}),
    ],
    ids=["calls of two services", "calls of one", "the database of another", "its own database", "its own protocol"],
)
def test_a_smoke_test_exercises_its_service_and_those_that_it_names(smoke_test: SmokeTest, services: set[str]) -> None:
    assert services_exercised(smoke_test, "shop") == services


def test_without_a_service_its_calls_are_left_out() -> None:
    assert without(THROUGH, {"store"}) == Calls(steps=(WRITE,))
    assert without(THROUGH, {"postgres"}) == THROUGH


@pytest.mark.parametrize("smoke_test", [ELSEWHERE, OWN, BUS])
def test_a_smoke_test_of_another_kind_stays_whole(smoke_test: SmokeTest) -> None:
    assert without(smoke_test, {"postgres", "store"}) == smoke_test
