"""`upgrade` and `upgrade undo`: the order of their steps, and what a failure leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from arcctl.engines.base import ContainerState
from arcctl.errors import ArcError, UpgradeError, UsageError
from arcctl.images import undo, upgrade
from arcctl.images.report import UpgradeReport
from arcctl.images.upgrade import Callbacks
from arcctl.model.backup_method import Folder
from arcctl.model.image import Image
from arcctl.model.service import Catalogue
from arcctl.project import Project
from arcctl.settings.image_registry import from_mirror
from arcctl.settings.image_tags import chosen
from tests.fakes.catalogue import FRONT, SHOP, STORE, catalogue
from tests.fakes.images import FakeImages
from tests.fakes.toy import FakeDirectory, FakeEngine, Toy

DECLARED = catalogue(SHOP, FRONT, replace(STORE, backup=lambda env: Folder("data")))
SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}
NEW = "toy/store:1.1"


@dataclass
class Platform:
    """A running toy platform that records every step of an upgrade."""

    toy: Toy
    images: FakeImages
    steps: list[str] = field(default_factory=list)
    unrestored: Mapping[str, str] = field(default_factory=dict)
    breaking: frozenset[str] = frozenset()
    """What does not come up with the new image."""
    registry: str = ""

    def project(self) -> Project:
        values = {name: value for file in self.toy.directory.env_files.values() for name, value in file.items()}
        catalogue_now: Catalogue = from_mirror(chosen(DECLARED, values), self.registry)
        self.toy.engine.catalogue = catalogue_now
        self.toy.engine.image_store = self.images
        return replace(self.toy.project(), catalogue=catalogue_now)

    @property
    def callbacks(self) -> Callbacks:
        async def back_up(services: tuple[str, ...]) -> str:
            self.steps.append(f"back up {' '.join(services)}")
            self.toy.engine.crashing = self.breaking
            return "20260131T100000Z"

        async def restore(name: str, services: tuple[str, ...], project: Project) -> Mapping[str, str]:
            self.steps.append(f"restore {' '.join(services)} from {name}")
            return self.unrestored

        async def refresh(project: Project) -> None:
            self.steps.append("refresh databases")

        return Callbacks(reload=self.project, back_up=back_up, restore=restore, refresh=refresh)

    def upgrade(self, *words: str, **to: str) -> UpgradeReport:
        project = self.project()
        plan = upgrade.plan(words, to, project)
        return asyncio.run(upgrade.upgrade(plan, project, self.callbacks))

    def undo(self) -> UpgradeReport:
        project = self.project()
        return asyncio.run(undo.undo(undo.last_upgrade(project), project, self.callbacks))


@pytest.fixture
def platform() -> Platform:
    steps: list[str] = []
    states = {
        key: ContainerState(
            state="exited" if key == "shop-db" else "running",
            image=c.container.image,
            image_id="sha",
            ports={7000: 7000},
        )
        for key, c in DECLARED.components(("store",)).items()
    }
    engine = FakeEngine(DECLARED, states=states, calls=steps, lacking=frozenset({NEW}))
    images = FakeImages(remote={NEW: Image(reference=NEW, id="new")}, calls=steps)
    toy = Toy(engine=engine, directory=FakeDirectory(kept=dict(SECRETS), up=frozenset({"store"})))
    return Platform(toy, images, steps)


def test_the_image_is_pulled_then_the_data_backed_up_then_the_container_recreated(platform: Platform) -> None:
    done = platform.upgrade(store="1.1")
    assert platform.steps == [
        f"pull {NEW}",
        "back up store",
        f"pull {NEW}",
        "recreate store",
        "start store",
        "refresh databases",
    ]
    assert platform.toy.directory.env_files == {"store": {"STORE_IMAGE_TAG": "1.1"}}
    assert (done.services, done.saved, done.backup) == (("store",), ("store",), "20260131T100000Z")


def test_an_image_that_cannot_be_pulled_changes_nothing(platform: Platform) -> None:
    platform.images.remote.clear()
    with pytest.raises(KeyError):
        platform.upgrade(store="1.1")
    assert platform.steps == [f"pull {NEW}"]
    assert (platform.toy.directory.env_files, platform.toy.directory.notes) == ({}, {})


def test_undo_restores_setting_container_and_data_once(platform: Platform) -> None:
    platform.upgrade(store="1.1")
    platform.toy.engine.states["store"] = replace(platform.toy.engine.states["store"], image=NEW)
    platform.steps.clear()
    platform.undo()
    assert platform.steps == [
        "recreate store",
        "start store",
        "restore store from 20260131T100000Z",
        "refresh databases",
    ]
    assert platform.toy.directory.env_files == {"store": {}}
    with pytest.raises(UsageError, match="there is no upgrade to undo"):
        platform.undo()


def test_an_upgrade_that_an_earlier_arcctl_noted_can_be_undone(platform: Platform) -> None:
    platform.upgrade(store="1.1")
    note = platform.toy.directory.notes["upgrade"]
    del note["status"]
    note["moves"] = [{**move, "kind": str(move["kind"])} for move in note["moves"]]
    assert platform.undo().saved == ("store",)


def test_undo_restores_the_tag_that_was_set_before_not_the_default(platform: Platform) -> None:
    platform.toy.directory.env_files = {"store": {"STORE_IMAGE_TAG": "1.0.5"}}
    platform.toy.engine.states["store"] = replace(platform.toy.engine.states["store"], image="toy/store:1.0.5")
    platform.upgrade(store="1.1")
    platform.undo()
    assert platform.toy.directory.env_files == {"store": {"STORE_IMAGE_TAG": "1.0.5"}}


def test_undo_gives_the_replaced_image_its_name_back(platform: Platform) -> None:
    platform.toy.engine.states["store"] = replace(platform.toy.engine.states["store"], image_id="before")
    platform.upgrade()
    platform.steps.clear()
    platform.undo()
    assert platform.steps[0] == "name before toy/store:1.0"


def test_undo_gives_the_replaced_image_the_name_that_the_project_has_for_it_by_then(platform: Platform) -> None:
    platform.toy.engine.states["store"] = replace(platform.toy.engine.states["store"], image_id="before")
    platform.upgrade()
    platform.registry = "mirror.example.com"
    platform.steps.clear()
    platform.undo()
    assert platform.steps[0] == "name before mirror.example.com/toy/store:1.0"
    assert platform.toy.directory.env_files == {}


def test_undo_in_a_mirror_restores_the_default_tag(platform: Platform) -> None:
    platform.upgrade(store="1.1")
    note = platform.toy.directory.notes["upgrade"]
    note["moves"] = [{**move, "before": f"mirror.example.com/{move['before']}"} for move in note["moves"]]
    platform.undo()
    assert platform.toy.directory.env_files == {"store": {}}


def test_a_server_that_does_not_come_up_is_reported_and_can_be_undone(platform: Platform) -> None:
    platform.breaking = frozenset({"store"})
    with pytest.raises(UpgradeError, match="store did not come up") as caught:
        platform.upgrade(store="1.1")
    assert caught.value.hint == "arcctl upgrade undo, or arcctl logs store"
    platform.toy.engine.crashing = frozenset()
    platform.undo()
    assert platform.toy.directory.env_files == {"store": {}}


def test_data_that_is_not_restored_is_reported_and_undo_can_be_run_again(platform: Platform) -> None:
    platform.upgrade(store="1.1")
    platform.unrestored = {"store": "is a raw folder of another server"}
    with pytest.raises(UpgradeError, match="the data of store was not restored: is a raw folder") as caught:
        platform.undo()
    assert caught.value.hint == "arcctl backup restore 20260131T100000Z store"
    platform.unrestored = {}
    platform.undo()


def test_the_service_in_which_another_keeps_its_data_is_backed_up(platform: Platform) -> None:
    assert upgrade.with_data(("big-shop",), platform.project()) == ("store",)
    assert upgrade.with_data(("front",), platform.project()) == ()


@pytest.mark.parametrize(
    ("to", "message", "hint"),
    [
        ({"stor": "1"}, "no image is chosen by the name 'stor'", "did you mean store?"),
        ({"x": "1"}, "no image is chosen by the name 'x'", "one of front, store, shop-exporter"),
        ({"store": "other/store:1"}, "'other/store:1' is not a valid image tag", "arcctl images outdated store"),
        (
            {"front": "10"},
            "front does not exist, so it cannot be upgraded",
            "arcctl config set front IMAGE_TAG 10, then arcctl up front",
        ),
        (
            {"shop-exporter": "3"},
            "shop-exporter does not exist, so it cannot be upgraded",
            "arcctl config set big-shop SHOP_EXPORTER_IMAGE_TAG 3, then arcctl up big-shop",
        ),
    ],
)
def test_a_wrong_name_or_tag_is_refused(platform: Platform, to: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        platform.upgrade(**to)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert platform.steps == []


def test_a_tag_that_the_environment_overrides_is_refused(platform: Platform) -> None:
    platform.toy.environment["STORE_IMAGE_TAG"] = "1.0"
    with pytest.raises(UsageError, match="the environment variable STORE_IMAGE_TAG overrides the tag"):
        platform.upgrade(store="1.1")


def test_an_engine_without_images_takes_no_tags_and_cannot_undo(platform: Platform) -> None:
    project = platform.project()
    platform.toy.engine.image_store = None
    with pytest.raises(ArcError, match="runs no images"):
        upgrade.plan((), {"store": "1.1"}, project)
    platform.upgrade(store="1.1")
    platform.toy.engine.image_store = None
    with pytest.raises(UsageError, match="come from packages") as caught:
        undo.last_upgrade(project)
    assert caught.value.hint == "install the earlier packages, then arcctl backup restore 20260131T100000Z"
