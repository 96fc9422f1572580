"""`upgrade` and `upgrade undo`: in which order things happen, and what a failure leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from arcctl.app import upgrade as use_case
from arcctl.app.upgrade import Request, Undoable, Ways
from arcctl.app.world import World
from arcctl.core.backup import Folder
from arcctl.core.images import chosen
from arcctl.core.model import Catalogue
from arcctl.core.observed import ContainerState
from arcctl.core.stored import Image
from arcctl.errors import ArcError, UpgradeError, UsageError
from tests.app.fake_images import FakeImages
from tests.app.fakes import FakeEngine, FakeHome, Toy
from tests.core.toy import FRONT, SHOP, STORE, catalogue

DECLARED = catalogue(SHOP, FRONT, replace(STORE, backup=lambda env: Folder("data")))
SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}
NEW = "toy/store:1.1"


@dataclass
class Platform:
    """A toy platform that runs, with every step of an upgrade written down in one list."""

    toy: Toy
    images: FakeImages
    steps: list[str] = field(default_factory=list)
    lost: Mapping[str, str] = field(default_factory=dict)
    breaking: frozenset[str] = frozenset()
    """What does not come up from the new image."""

    def world(self) -> World:
        own = {name: value for file in self.toy.home.own.values() for name, value in file.items()}
        made: Catalogue = chosen(DECLARED, own)
        self.toy.engine.catalogue = made
        return replace(self.toy.world(), catalogue=made, images=self.images)

    @property
    def ways(self) -> Ways:
        async def save(services: tuple[str, ...]) -> str:
            self.steps.append(f"save {' '.join(services)}")
            self.toy.engine.crashing = self.breaking
            return "20260131T100000Z"

        async def put_back(name: str, services: tuple[str, ...], world: World) -> Mapping[str, str]:
            self.steps.append(f"put back {' '.join(services)} from {name}")
            return self.lost

        return Ways(again=self.world, save=save, put_back=put_back)

    def upgrade(self, *words: str, **to: str) -> Undoable:
        world = self.world()
        return asyncio.run(use_case.run(use_case.decide(Request(words=words, to=to), world), world, self.ways))

    def undo(self) -> Undoable:
        world = self.world()
        return asyncio.run(use_case.undo(use_case.last(world), world, self.ways))


@pytest.fixture
def platform() -> Platform:
    steps: list[str] = []
    states = {
        key: ContainerState(
            state="exited" if key == "shop-db" else "running", image=c.image, image_id="sha", ports={7000: 7000}
        )
        for key, c in DECLARED.containers(("store",)).items()
    }
    engine = FakeEngine(DECLARED, states=states, calls=steps, lacking=frozenset({NEW}))
    images = FakeImages(remote={NEW: Image(reference=NEW, id="new")}, calls=steps)
    toy = Toy(engine=engine, home=FakeHome(kept=dict(SECRETS), up=frozenset({"store"})))
    return Platform(toy, images, steps)


def test_the_image_comes_first_then_a_copy_of_the_data_then_the_container(platform: Platform) -> None:
    done = platform.upgrade(store="1.1")
    assert platform.steps == [f"pull {NEW}", "save store", "fetch store", "recreate store"]
    assert platform.toy.home.own == {"store": {"STORE_IMAGE_TAG": "1.1"}}
    assert (done.services, done.saved, done.backup) == (("store",), ("store",), "20260131T100000Z")


def test_an_image_that_cannot_be_had_changes_nothing(platform: Platform) -> None:
    platform.images.remote.clear()
    with pytest.raises(KeyError):
        platform.upgrade(store="1.1")
    assert platform.steps == [f"pull {NEW}"]
    assert (platform.toy.home.own, platform.toy.home.notes) == ({}, {})


def test_undo_puts_setting_container_and_data_back_and_can_be_done_once(platform: Platform) -> None:
    platform.upgrade(store="1.1")
    platform.toy.engine.states["store"] = replace(platform.toy.engine.states["store"], image=NEW)
    platform.steps.clear()
    platform.undo()
    assert platform.steps == ["recreate store", "put back store from 20260131T100000Z"]
    assert platform.toy.home.own == {"store": {}}
    with pytest.raises(UsageError, match="there is no upgrade to undo"):
        platform.undo()


def test_undo_goes_back_to_the_tag_that_was_chosen_before_and_not_to_the_default(platform: Platform) -> None:
    platform.toy.home.own = {"store": {"STORE_IMAGE_TAG": "1.0.5"}}
    platform.toy.engine.states["store"] = replace(platform.toy.engine.states["store"], image="toy/store:1.0.5")
    platform.upgrade(store="1.1")
    platform.undo()
    assert platform.toy.home.own == {"store": {"STORE_IMAGE_TAG": "1.0.5"}}


def test_undo_names_the_image_again_that_was_replaced_under_its_name(platform: Platform) -> None:
    platform.toy.engine.states["store"] = replace(platform.toy.engine.states["store"], image_id="before")
    platform.upgrade()
    platform.steps.clear()
    platform.undo()
    assert platform.steps[0] == "name before toy/store:1.0"


def test_a_server_that_does_not_come_up_is_told_with_the_way_back(platform: Platform) -> None:
    platform.breaking = frozenset({"store"})
    with pytest.raises(UpgradeError, match="store did not come up") as caught:
        platform.upgrade(store="1.1")
    assert caught.value.hint == "arcctl upgrade undo, or arcctl logs store"
    platform.toy.engine.crashing = frozenset()
    platform.undo()
    assert platform.toy.home.own == {"store": {}}


def test_data_that_cannot_be_put_back_is_told_and_undo_can_be_run_again(platform: Platform) -> None:
    platform.upgrade(store="1.1")
    platform.lost = {"store": "is a raw folder of another server"}
    with pytest.raises(UpgradeError, match="store has not got its data back: is a raw folder") as caught:
        platform.undo()
    assert caught.value.hint == "arcctl backup restore 20260131T100000Z store"
    platform.lost = {}
    platform.undo()


def test_a_service_that_keeps_its_data_in_another_one_has_that_one_copied(platform: Platform) -> None:
    assert use_case.with_data(("big-shop",), platform.world()) == ("store",)
    assert use_case.with_data(("front",), platform.world()) == ()


@pytest.mark.parametrize(
    ("to", "message", "hint"),
    [
        ({"stor": "1"}, "no image has the name stor", "did you mean store?"),
        ({"x": "1"}, "no image has the name x", "one of front, store, shop-exporter"),
        ({"store": "other/store:1"}, "'other/store:1' is no tag", "arcctl images outdated store"),
        ({"front": "10"}, "front does not exist", "arcctl config set front IMAGE_TAG 10, then arcctl up front"),
        (
            {"shop-exporter": "3"},
            "shop-exporter does not exist",
            "arcctl config set big-shop SHOP_EXPORTER_IMAGE_TAG 3, then arcctl up big-shop",
        ),
    ],
)
def test_what_is_no_image_and_no_tag_is_refused(
    platform: Platform, to: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        platform.upgrade(**to)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert platform.steps == []


def test_a_tag_that_the_environment_sets_too_is_refused_because_it_would_have_no_effect(platform: Platform) -> None:
    platform.toy.environment["STORE_IMAGE_TAG"] = "1.0"
    with pytest.raises(UsageError, match="the environment sets STORE_IMAGE_TAG, which is stronger"):
        platform.upgrade(store="1.1")


def test_an_engine_without_images_takes_no_tags_and_has_no_way_back(platform: Platform) -> None:
    world = replace(platform.world(), images=None)
    with pytest.raises(ArcError, match="runs no images"):
        use_case.decide(Request(to={"store": "1.1"}), world)
    platform.upgrade(store="1.1")
    with pytest.raises(UsageError, match="come from packages") as caught:
        use_case.last(world)
    assert caught.value.hint == "install the earlier ones, then arcctl backup restore 20260131T100000Z"
