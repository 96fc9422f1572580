"""What an upgrade does, as its plan prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from arcctl.core.images import chosen
from arcctl.core.model import Catalogue
from arcctl.core.observed import ContainerState, Observed
from arcctl.core.upgrade import make
from arcctl.errors import UpgradeError
from tests.core.toy import SHOP, STORE, TOY, catalogue

IDS = {c.image: f"id-{c.image}" for c in TOY.containers().values()}
RUNS = {k: ContainerState(state="running", image=c.image, image_id=IDS[c.image]) for k, c in TOY.containers().items()}
ALL = tuple(TOY.services)


def _plan(
    tags: Mapping[str, str],
    services: tuple[str, ...] = ALL,
    declared: Catalogue = TOY,
    asked: bool = True,
    now: Mapping[str, ContainerState] = MappingProxyType({}),
) -> list[str]:
    moves = make(chosen(declared, tags), services, Observed({**RUNS, **now}), IDS, tags if asked else {})
    return [str(move) for move in moves]


def test_what_runs_as_it_is_declared_stays() -> None:
    assert _plan({}) == []


def test_another_tag_moves_every_container_that_is_made_from_the_image_whoever_it_belongs_to() -> None:
    assert _plan({"STORE_IMAGE_TAG": "1.1"}, ("store",)) == [
        "upgrade shop-db: toy/store:1.0 -> toy/store:1.1 (asked for)",
        "upgrade store: toy/store:1.0 -> toy/store:1.1 (asked for)",
    ]


def test_a_step_back_is_said_to_be_one() -> None:
    assert _plan({"STORE_IMAGE_TAG": "0.9"}, ("store",))[1] == (
        "downgrade store: toy/store:1.0 -> toy/store:0.9 (asked for)"
    )


def test_a_setting_is_named_as_the_cause_and_so_is_what_arcctl_pins() -> None:
    old = replace(RUNS["store"], image="toy/store:0.9")
    assert _plan({"STORE_IMAGE_TAG": "1.1"}, ("store",), asked=False, now={"store": old})[1] == (
        "upgrade store: toy/store:0.9 -> toy/store:1.1 (STORE_IMAGE_TAG says so)"
    )
    assert _plan({}, ("store",), now={"store": old}) == [
        "upgrade store: toy/store:0.9 -> toy/store:1.0 (arcctl pins it)"
    ]


@pytest.mark.parametrize(
    ("version", "cause"),
    [("", "another image has this name now"), ("Store 7", "Store 7 runs")],
    ids=["image", "program"],
)
def test_another_image_under_the_same_name_replaces_what_runs(version: str, cause: str) -> None:
    before = replace(RUNS["store"], image_id="before", version=version)
    assert _plan({}, now={"store": before}) == [f"replace store: toy/store:1.0 ({cause})"]


def test_what_does_not_exist_is_left_to_up() -> None:
    assert _plan({"FRONT_IMAGE_TAG": "10"}, now={"front": ContainerState(state="absent")}) == []


def test_services_that_are_not_asked_for_stay() -> None:
    old = {k: replace(RUNS[k], image="toy/old:1") for k in ("store", "front")}
    assert _plan({}, ("front",), now=old) == ["upgrade front: toy/old:1 -> toy/front:9 (arcctl pins it)"]


@pytest.mark.parametrize(
    ("tag", "refused"), [("1.1-data8", False), ("2-data9", True), ("2", False)], ids=["same", "other", "does not tell"]
)
def test_a_server_that_cannot_read_the_data_is_refused_with_the_way_to_do_it(tag: str, refused: bool) -> None:
    store = replace(STORE, image="toy/store:1.0-data8", data_version=r"-data(\d+)")
    declared = catalogue(SHOP, store)
    now = replace(RUNS["store"], image="toy/store:1.0-data8")
    if not refused:
        assert len(_plan({"STORE_IMAGE_TAG": tag}, ("store",), declared, now={"store": now})) == 1
        return
    with pytest.raises(UpgradeError) as caught:
        _plan({"STORE_IMAGE_TAG": tag}, ("store",), declared, now={"store": now})
    assert caught.value.message == "store: its data is of version 8, which toy/store:2-data9 cannot read"
    assert caught.value.hint == (
        "arcctl backup create, arcctl clean, arcctl config set store IMAGE_TAG 2-data9, arcctl up --stack, "
        "arcctl backup restore NAME"
    )
