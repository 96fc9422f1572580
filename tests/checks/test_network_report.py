"""Who looks from where at whom, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.checks import network_report
from arcctl.checks.network_report import Seen, View
from arcctl.engines.base import ContainerState, Observed
from arcctl.model.env import ServiceEnv
from arcctl.model.service import Catalogue, Service
from tests.fakes.catalogue import plain

PORTS = {"cache": 1, "db": 2, "gate": 3, "proxy": 4}
ALL = ("cache", "db", "gate", "proxy", "away")


def _service(name: str, *, has_nc: bool = True) -> Service[ServiceEnv]:
    service = plain(name)
    return replace(service, container=replace(service.container, has_nc=has_nc))


CATALOGUE = Catalogue({name: _service(name, has_nc=name != "proxy") for name in ALL})
NETWORKS = {"cache": "common", "db": "common", "gate": "common private", "proxy": "private"}


def _views(*tried: str, **networks: str) -> list[str]:
    states = {
        key: ContainerState(state="running", networks=frozenset(names.split()))
        for key, names in (NETWORKS | networks).items()
    }
    found = network_report.views(CATALOGUE, Observed(states), PORTS, tried)
    return [f"{view.place}:{view.port} at {' '.join(view.command[5:])}" for view in found]


@pytest.mark.parametrize(
    ("tried", "networks", "views"),
    [
        ((), {}, ["gate:3 at cache:1 db:2 proxy:4"]),
        (("gate",), {}, ["cache:1 at db:2 gate:3"]),
        (("gate", "cache", "db"), {}, []),
        ((), {"gate": "private"}, ["cache:1 at db:2", "gate:3 at proxy:4"]),
        ((), {"gate": "", "cache": ""}, []),
        ((), dict.fromkeys(NETWORKS, ""), []),
    ],
    ids=[
        "one is on both networks",
        "that one was tried",
        "nobody else can look",
        "nobody is on both networks",
        "each is alone",
        "no networks",
    ],
)
def test_the_fewest_containers_look_at_all_others(
    tried: tuple[str, ...], networks: dict[str, str], views: list[str]
) -> None:
    assert _views(*tried, **networks) == views


def _seen(place: str, missed: str, others: str = "cache db gate proxy") -> Seen:
    view = View(place, PORTS[place], {key: PORTS[key] for key in others.split() if key != place})
    return network_report.seen(view, "\n".join(f"{key}:{PORTS[key]}" for key in missed.split()))


def _told(*found: Seen) -> dict[str, str]:
    return {key: f"{'ok' if a.ok else 'bad'}: {a.reason}" for key, a in network_report.answers(found).items()}


GATE = "ok: connects to other containers by their names"


def test_who_takes_no_connection_is_told_with_the_place_that_tried() -> None:
    assert _told(_seen("gate", "db")) == {
        "gate": GATE,
        "cache": "ok: gate connects to cache:1",
        "db": "bad: gate cannot connect to db:2",
        "proxy": "ok: gate connects to proxy:4",
    }


def test_a_place_that_reaches_few_is_to_blame_where_another_one_reaches_them() -> None:
    assert _told(_seen("gate", "cache db"), _seen("cache", "gate", "db gate")) == {
        "gate": "bad: cannot connect to 2 of 3 other containers",
        "cache": GATE,
        "db": "ok: cache connects to db:2",
    }


def test_where_nobody_reaches_anybody_all_are_told() -> None:
    assert _told(_seen("gate", "cache db proxy"), _seen("cache", "db gate", "db gate")) == {
        "cache": "bad: gate cannot connect to cache:1",
        "db": "bad: gate cannot connect to db:2",
        "proxy": "bad: gate cannot connect to proxy:4",
        "gate": "bad: cache cannot connect to gate:3",
    }


def test_where_nobody_could_look_nothing_is_known() -> None:
    assert _told() == {}
