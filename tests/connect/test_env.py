"""`env`: the variables of which services, for which side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.connect import env as connection
from arcctl.engines.base import Unavailable
from arcctl.errors import UnknownService
from arcctl.model.connection import Side, Where
from arcctl.model.service import Catalogue
from arcctl.project import Project, ensure_secrets
from tests.fakes.catalogue import FRONT, STORE, StoreEnv
from tests.fakes.toy import Toy


def _found(env: StoreEnv, where: Where) -> dict[str, str]:
    return {"STORE_URL": f"store://{where.at(7000)}", "STORE_AUTH": env.ticket.get_secret_value()}


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def project(toy: Toy) -> Project:
    """The store has an address and a ticket that its server issued."""
    store = replace(STORE, network=replace(STORE.network, connect=_found))
    known = replace(toy.project(), catalogue=Catalogue({"front": FRONT, "store": store}))
    ensure_secrets(known, ())
    return known


@pytest.mark.parametrize(("side", "address"), [(Side.HOST, "127.0.0.1:7070"), (Side.CONTAINER, "store:7000")])
def test_an_address_is_the_one_of_that_side(side: Side, address: str, toy: Toy, project: Project) -> None:
    toy.environment["STORE_HOST_PORT"] = "7070"
    assert connection.variables(("store",), side, project).values == {"STORE_URL": f"store://{address}"}


def test_a_server_issued_value_is_there_once_it_is_known(toy: Toy, project: Project) -> None:
    toy.directory.keep_secrets({"STORE_TICKET": "t1"})
    assert connection.variables((), Side.HOST, project).values["STORE_AUTH"] == "t1"


def test_only_the_services_named_have_variables(project: Project) -> None:
    assert connection.variables(("front",), Side.HOST, project).values == {}


@pytest.mark.parametrize("words", [(), ("store",)])
def test_a_service_that_cannot_run_on_this_engine_is_left_out_with_the_reason(
    words: tuple[str, ...], toy: Toy, project: Project
) -> None:
    why = Unavailable("no package contains this server", "up store")
    toy.engine.unavailable = {"store": why, "front": why}
    found = connection.variables(words, Side.HOST, project)
    assert (found.values, found.left_out) == ({}, {"store": why})  # the other one has no variables anyway


def test_only_what_would_win_over_the_variables_of_services_here_is_kept_from_a_program(toy: Toy) -> None:
    network = replace(STORE.network, connect=_found, overrides=("STORE_CONTEXT", "STORE_PROFILE"))
    project = replace(toy.project(), catalogue=Catalogue({"front": FRONT, "store": replace(STORE, network=network)}))
    ensure_secrets(project, ())
    found = connection.variables(("store",), Side.HOST, project)
    inherited = {"STORE_CONTEXT": "prod", "STORE_URL": "store://prod", "HOME": "/home/ada"}
    given, removed = connection.environment(inherited, found)
    assert (given["HOME"], given["STORE_URL"], "STORE_CONTEXT" in given) == (
        "/home/ada",
        "store://127.0.0.1:7000",
        False,
    )
    assert removed == ("STORE_CONTEXT",)
    assert connection.variables(("front",), Side.HOST, project).overrides == ()


@pytest.mark.parametrize(
    ("shell", "added"),
    [
        ({}, {}),
        ({"http_proxy": ""}, {}),
        ({"HTTPS_PROXY": "p", "NO_PROXY": "*"}, {}),
        ({"grpc_proxy": "p", "no_proxy": "a, 127.0.0.1"}, {}),
        ({"ALL_PROXY": "p"}, {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}),
    ],
)
def test_this_machine_is_excepted_from_a_proxy_where_one_is_set(shell: dict[str, str], added: dict[str, str]) -> None:
    given, removed = connection.environment(shell, connection.Variables({}, {}))
    assert (given, removed) == (shell | added, ())


def test_an_unknown_service_is_refused(project: Project) -> None:
    with pytest.raises(UnknownService):
        connection.variables(("stroe",), Side.HOST, project)
