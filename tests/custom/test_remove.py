"""Removing a custom service: what goes, what stays, and what prevents it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from arcctl.custom.remove import plan, remove
from arcctl.engines.base import ContainerState
from arcctl.errors import UnhealthyError, UnknownService, UsageError
from arcctl.model.resource import Resource
from arcctl.model.service import Catalogue, Layer, Service, SetUp, Storage, Volume
from arcctl.model.smoke_test import Call, Calls
from tests.fakes.catalogue import STORE, TOY, plain
from tests.fakes.toy import FakeEngine, Toy

RUNS = ContainerState(state="running")


def _calls(name: str) -> Calls:
    """Something that the store is asked for."""
    return Calls((Call(name, 7000, "/", at=STORE.id),))


ACCOUNT = Resource("account", _calls("find account"), hint="look", destroy=(_calls("drop account"),))
MINE: Service[Any] = replace(
    plain("mine", STORE, layer=Layer.CUSTOM),
    storage=Storage(mounts=lambda env: (Volume("data", "/data"),)),
    setup=SetUp(resources=lambda env: (ACCOUNT,)),
)


def _toy(*more: Service[Any], **states: ContainerState) -> tuple[Toy, Any]:
    """The toy platform with a service of one's own, both running, and both with data."""
    engine = FakeEngine(TOY, kept=("arc_mine_data", "arc_store_data"), states={"store": RUNS, "mine": RUNS, **states})
    toy = Toy(engine=engine)
    toy.directory.kept = {"BIG_SHOP_TOKEN": "t" * 15 + "o" * 17, "STORE_PASSWORD": "p" * 15 + "o" * 28}
    toy.directory.up = toy.directory.complete = frozenset({"store", "mine"})
    project = replace(toy.project(), catalogue=Catalogue({**TOY.services, **{s.id: s for s in (MINE, *more)}}))
    return toy, project


def test_without_data_its_containers_are_removed_and_its_data_stays() -> None:
    toy, project = _toy()
    removal = plan("mine", project, data=False)
    assert (removal.data, removal.containers) == (("volume arc_mine_data", "account"), ("mine",))
    asyncio.run(remove(removal, project, data=False))
    assert toy.engine.calls == ["stop mine", "remove mine"]
    assert (toy.directory.up, toy.directory.complete) == (frozenset({"store"}), frozenset({"store"}))
    assert toy.smoke_test_runner.created == set()


def test_with_data_its_data_in_other_services_goes_before_its_volume() -> None:
    toy, project = _toy()
    asyncio.run(remove(plan("mine", project, data=True), project, data=True))
    assert toy.smoke_test_runner.created == {"account"}
    assert toy.engine.calls == ["stop mine", "remove mine arc_mine_data"]


def test_where_another_one_does_not_let_go_nothing_is_lost() -> None:
    toy, project = _toy()
    toy.smoke_test_runner.refusing = frozenset({"account"})
    with pytest.raises(UnhealthyError, match="the data of mine could not be destroyed: account is not there"):
        asyncio.run(remove(plan("mine", project, data=True), project, data=True))
    assert toy.engine.calls == ["stop mine"]


def test_data_that_a_stopped_service_holds_is_asked_for_first() -> None:
    _, project = _toy(store=ContainerState(state="exited"))
    with pytest.raises(UnhealthyError, match="store has data of mine and does not run") as caught:
        plan("mine", project, data=True)
    assert caught.value.hint == "arcctl up store"
    assert plan("mine", project, data=False).resources == ()


def test_a_service_that_another_needs_is_not_removed() -> None:
    _, project = _toy(plain("other", MINE, layer=Layer.CUSTOM))
    with pytest.raises(UsageError, match="other depends on mine"):
        plan("mine", project, data=False)


@pytest.mark.parametrize(("name", "error"), [("store", UsageError), ("nobody", UnknownService)])
def test_only_a_custom_service_is_removed(name: str, error: type[Exception]) -> None:
    _, project = _toy()
    with pytest.raises(error):
        plan(name, project, data=False)
