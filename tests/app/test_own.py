"""Removing a service of one's own: what goes, what stays, and what stands in the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from arcctl.app import own
from arcctl.core.bootstrap import Resource
from arcctl.core.model import Catalogue, Layer, Service, Volume
from arcctl.core.observed import ContainerState
from arcctl.core.proof import Call, Calls
from arcctl.errors import UnhealthyError, UnknownService, UsageError
from tests.app.fakes import FakeEngine, Toy
from tests.core.toy import STORE, TOY, plain

RUNS = ContainerState(state="running")


def _calls(name: str) -> Calls:
    """Something that the store is asked for."""
    return Calls(steps=(Call(name=name, port=7000, path="/", at=STORE.id),))


ACCOUNT = Resource(name="account", look=_calls("find account"), hint="look", destroy=(_calls("drop account"),))
MINE: Service[Any] = replace(
    plain("mine", STORE, layer=Layer.OWN),
    mounts=lambda env: (Volume("data", "/data"),),
    resources=lambda env: (ACCOUNT,),
)


def _toy(*more: Service[Any], **states: ContainerState) -> tuple[Toy, Any]:
    """The toy platform with a service of one's own, both running, and both with data."""
    engine = FakeEngine(TOY, kept=("mine_data", "store_data"), states={"store": RUNS, "mine": RUNS, **states})
    toy = Toy(engine=engine)
    toy.home.kept = {"BIG_SHOP_TOKEN": "t" * 15 + "o" * 17, "STORE_PASSWORD": "p" * 15 + "o" * 28}
    toy.home.up = toy.home.complete = frozenset({"store", "mine"})
    world = replace(toy.world(), catalogue=Catalogue({**TOY.services, **{s.id: s for s in (MINE, *more)}}))
    return toy, world


def test_without_data_it_is_stopped_and_taken_away_and_what_it_wrote_stays() -> None:
    toy, world = _toy()
    removal = own.look("mine", world, data=False)
    assert (removal.data, removal.containers) == (("volume mine_data", "account"), ("mine",))
    asyncio.run(own.remove(removal, world, data=False))
    assert toy.engine.calls == ["stop mine", "remove mine"]
    assert (toy.home.up, toy.home.complete) == (frozenset({"store"}), frozenset({"store"}))
    assert toy.prover.held == set()


def test_with_data_the_others_let_go_first_and_then_its_volume_goes() -> None:
    toy, world = _toy()
    asyncio.run(own.remove(own.look("mine", world, data=True), world, data=True))
    assert toy.prover.held == {"account"}
    assert toy.engine.calls == ["stop mine", "remove mine mine_data"]


def test_where_another_one_does_not_let_go_nothing_is_lost() -> None:
    toy, world = _toy()
    toy.prover.refusing = frozenset({"account"})
    with pytest.raises(UnhealthyError, match="the data of mine could not be destroyed: account is not there"):
        asyncio.run(own.remove(own.look("mine", world, data=True), world, data=True))
    assert toy.engine.calls == ["stop mine"]


def test_data_that_a_stopped_service_holds_is_asked_for_first() -> None:
    _, world = _toy(store=ContainerState(state="exited"))
    with pytest.raises(UnhealthyError, match="store holds data of mine and does not run") as caught:
        own.look("mine", world, data=True)
    assert caught.value.hint == "arcctl up store"
    assert own.look("mine", world, data=False).held == ()


def test_what_another_one_needs_stays() -> None:
    _, world = _toy(plain("other", MINE, layer=Layer.OWN))
    with pytest.raises(UsageError, match="other needs mine"):
        own.look("mine", world, data=False)


@pytest.mark.parametrize(("name", "error"), [("store", UsageError), ("nobody", UnknownService)])
def test_only_ones_own_is_removed(name: str, error: type[Exception]) -> None:
    _, world = _toy()
    with pytest.raises(error):
        own.look(name, world, data=False)


def test_ports_are_those_that_nobody_wants_or_has() -> None:
    toy, world = _toy()
    toy.ports.busy = {8100: "somebody", 8102: "somebody"}
    assert own.free_ports(world, 2) == (8101, 8103)
