"""`env`: whose variables there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.app import connection
from arcctl.app.world import World, ensure_secrets
from arcctl.core.connect import Side, Where
from arcctl.core.model import Catalogue
from arcctl.errors import UnknownService
from tests.app.fakes import Toy
from tests.core.toy import FRONT, STORE, StoreEnv


def _found(env: StoreEnv, where: Where) -> dict[str, str]:
    return {"STORE_URL": f"store://{where.at(7000)}", "STORE_AUTH": env.ticket.get_secret_value()}


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def world(toy: Toy) -> World:
    """The store tells programs where it is, and what it handed out."""
    known = replace(toy.world(), catalogue=Catalogue({"front": FRONT, "store": replace(STORE, connect=_found)}))
    ensure_secrets(known, ())
    return known


@pytest.mark.parametrize(("side", "address"), [(Side.HOST, "127.0.0.1:7070"), (Side.CONTAINER, "store:7000")])
def test_an_address_is_what_that_side_sees(side: Side, address: str, toy: Toy, world: World) -> None:
    toy.environment["STORE_HOST_PORT"] = "7070"
    assert connection.variables(("store",), side, world) == {"STORE_URL": f"store://{address}"}


def test_what_a_server_told_is_there_from_then_on(toy: Toy, world: World) -> None:
    toy.home.keep_secrets({"STORE_TICKET": "t1"})
    assert connection.variables((), Side.HOST, world)["STORE_AUTH"] == "t1"


def test_only_the_services_named_are_told(world: World) -> None:
    assert connection.variables(("front",), Side.HOST, world) == {}


def test_an_unknown_service_is_refused(world: World) -> None:
    with pytest.raises(UnknownService):
        connection.variables(("stroe",), Side.HOST, world)
