"""Which ports of the machine the services use, and where two use the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arcctl.model.env import ServiceEnv, load
from arcctl.model.host_ports import Collision, HostPort, collisions, free_port, host_ports
from arcctl.model.service import Catalogue, Network, Port, Process
from tests.fakes.catalogue import SHOP, SHOP_EXPORTER, STORE, TOY

SECRETS = {"STORE_PASSWORD": "x" * 32, "BIG_SHOP_TOKEN": "y" * 32}


def _envs(**changed: str) -> dict[str, ServiceEnv]:
    return {i: load(service.env, {**SECRETS, **changed}) for i, service in TOY.services.items()}


def _process(**ports: Any) -> Process[Any]:
    return Process(sources=(), command=lambda env: ("store",), **ports)


WIRE = HostPort(number=7000, service="store", component="store", setting="HOST_PORT")
INNER = HostPort(number=7001, service="store", component="store")
OTHER_INNER = HostPort(number=7001, service="big-shop", component="shop-exporter")
LOCAL = Catalogue(
    {
        "store": replace(STORE, process=_process(ports=lambda env: (Port(9, 7001),))),
        "big-shop": replace(
            SHOP,
            components=(
                replace(
                    SHOP_EXPORTER,
                    network=Network(ports=lambda env: (Port(90, 7300), Port(91, env.host_port))),
                    process=_process(),
                ),
            ),
        ),
    }
)


def test_every_port_is_listed_with_the_setting_that_chooses_it() -> None:
    found = host_ports(LOCAL, _envs(), local=False)
    assert found == (
        WIRE,
        HostPort(number=7100, service="big-shop", component="big-shop", setting="HOST_PORT"),
        HostPort(number=7300, service="big-shop", component="shop-exporter"),
        HostPort(number=7100, service="big-shop", component="shop-exporter", setting="HOST_PORT"),
    )
    assert set(host_ports(LOCAL, _envs(), local=True)) - set(found) == {INNER}


def test_a_port_from_the_environment_is_only_changed_there() -> None:
    first, *_ = host_ports(LOCAL, _envs(), local=False, exported={"STORE_HOST_PORT": "7000"})
    assert first == replace(WIRE, exported="STORE_HOST_PORT")
    twice = Collision(INNER, replace(first, number=7001))
    assert twice.hint(lambda near: near + 1) == "unset STORE_HOST_PORT, then arcctl config set store HOST_PORT 7002"


@pytest.mark.parametrize(
    ("first", "second", "text", "hint"),
    [
        (
            INNER,
            replace(WIRE, number=7001, service="front", component="front"),
            "port 7001 is used twice: by store (not to be changed) and by front (HOST_PORT)",
            "arcctl config set front HOST_PORT 7002",
        ),
        (
            replace(WIRE, number=7001),
            OTHER_INNER,
            "port 7001 is used twice: by store (HOST_PORT) and by shop-exporter (not to be changed)",
            "arcctl config set store HOST_PORT 7002",
        ),
        (
            INNER,
            OTHER_INNER,
            "port 7001 is used twice: by store (not to be changed) and by shop-exporter (not to be changed)",
            "use only one of store and big-shop",
        ),
    ],
)
def test_two_that_use_one_port_are_named_with_what_changes_that(
    first: HostPort, second: HostPort, text: str, hint: str
) -> None:
    (found,) = collisions((WIRE, first, second))
    assert found == Collision(first, second)
    assert (str(found), found.hint(lambda near: near + 1)) == (text, hint)


@pytest.mark.parametrize(
    ("near", "taken", "free"), [(7000, (), 7002), (7000, (7002,), 7003), (80, (), 8080), (65535, (1024,), 1025)]
)
def test_a_free_port_is_one_that_nobody_has(near: int, taken: tuple[int, ...], free: int) -> None:
    assert free_port(near, {7000, 7001}, taken.__contains__) == free
