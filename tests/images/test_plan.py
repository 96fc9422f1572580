"""What an upgrade does, as its plan prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from arcctl.engines.base import ContainerState, Observed
from arcctl.errors import UpgradeError
from arcctl.images.plan import make
from arcctl.model.service import Catalogue
from arcctl.settings.image_registry import from_mirror
from arcctl.settings.image_tags import chosen
from tests.fakes.catalogue import SHOP, STORE, TOY, catalogue, with_data_version

IDS = {c.container.image: f"id-{c.container.image}" for c in TOY.components().values()}
RUNS = {
    k: ContainerState(state="running", image=c.container.image, image_id=IDS[c.container.image])
    for k, c in TOY.components().items()
}
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


def test_a_container_with_the_declared_image_does_not_move() -> None:
    assert _plan({}) == []


def test_another_tag_moves_every_container_of_the_image_also_of_other_services() -> None:
    assert _plan({"STORE_IMAGE_TAG": "1.1"}, ("store",)) == [
        "upgrade shop-db: toy/store:1.0 -> toy/store:1.1 (asked for)",
        "upgrade store: toy/store:1.0 -> toy/store:1.1 (asked for)",
    ]


def test_an_older_tag_is_a_downgrade() -> None:
    assert _plan({"STORE_IMAGE_TAG": "0.9"}, ("store",))[1] == (
        "downgrade store: toy/store:1.0 -> toy/store:0.9 (asked for)"
    )


def test_the_cause_is_the_setting_or_the_pinned_image() -> None:
    old = replace(RUNS["store"], image="toy/store:0.9")
    assert _plan({"STORE_IMAGE_TAG": "1.1"}, ("store",), asked=False, now={"store": old})[1] == (
        "upgrade store: toy/store:0.9 -> toy/store:1.1 (set by STORE_IMAGE_TAG)"
    )
    assert _plan({}, ("store",), now={"store": old}) == [
        "upgrade store: toy/store:0.9 -> toy/store:1.0 (pinned by arcctl)"
    ]


@pytest.mark.parametrize(
    ("version", "cause"),
    [("", "this name has a new image"), ("Store 7", "Store 7 runs now")],
    ids=["image", "program"],
)
def test_another_image_under_the_same_name_replaces_the_container(version: str, cause: str) -> None:
    before = replace(RUNS["store"], image_id="before", version=version)
    assert _plan({}, now={"store": before}) == [f"replace store: toy/store:1.0 ({cause})"]


@pytest.mark.parametrize("moved", [TOY, from_mirror(TOY, "new.example.com")], ids=["left", "changed"])
def test_the_same_image_from_another_registry_is_no_upgrade_and_another_one_replaces(moved: Catalogue) -> None:
    image = moved.components()["store"].container.image
    before = replace(RUNS["store"], image="old.example.com/toy/store:1.0")
    there = {"store": before, "shop-db": before, "front": replace(RUNS["front"], image="old.example.com/toy/front:9")}
    services, ids = ("store", "front"), {image: before.image_id}
    assert make(moved, services, Observed({**RUNS, **there}), ids, {}) == ()
    assert [str(m) for m in make(moved, services, Observed({**RUNS, **there}), {image: "x"}, {})] == [
        f"replace {key}: {before.image} -> {image} (this name has a new image)" for key in ("shop-db", "store")
    ]


def test_an_upgrade_in_a_mirror_has_the_same_cause() -> None:
    there = from_mirror(TOY, "new.example.com")
    old = {"front": replace(RUNS["front"], image="new.example.com/toy/front:8")}
    assert [str(move) for move in make(there, ("front",), Observed(old), IDS, {})] == [
        "upgrade front: new.example.com/toy/front:8 -> new.example.com/toy/front:9 (pinned by arcctl)"
    ]


def test_a_container_that_does_not_exist_does_not_move() -> None:
    assert _plan({"FRONT_IMAGE_TAG": "10"}, now={"front": ContainerState(state="absent")}) == []


def test_services_that_are_not_named_do_not_move() -> None:
    old = {k: replace(RUNS[k], image="toy/old:1") for k in ("store", "front")}
    assert _plan({}, ("front",), now=old) == ["upgrade front: toy/old:1 -> toy/front:9 (pinned by arcctl)"]


@pytest.mark.parametrize(
    ("tag", "refused"), [("1.1-data8", False), ("2-data9", True), ("2", False)], ids=["same", "other", "unknown"]
)
def test_a_server_that_cannot_read_the_data_is_refused_with_what_to_do(tag: str, refused: bool) -> None:
    store = with_data_version(STORE)
    declared = catalogue(SHOP, store)
    now = replace(RUNS["store"], image="toy/store:1.0-data8")
    if not refused:
        assert len(_plan({"STORE_IMAGE_TAG": tag}, ("store",), declared, now={"store": now})) == 1
        return
    with pytest.raises(UpgradeError) as caught:
        _plan({"STORE_IMAGE_TAG": tag}, ("store",), declared, now={"store": now})
    assert caught.value.message == "store: its data has version 8, which toy/store:2-data9 cannot read"
    assert caught.value.hint == (
        "arcctl backup create, arcctl clean, arcctl config set store IMAGE_TAG 2-data9, arcctl up --stack, "
        "arcctl backup restore NAME"
    )
