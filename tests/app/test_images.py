"""The images of a platform: looked at, locked, pulled, compared."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from arcctl.app import images, up
from arcctl.app.world import World
from arcctl.core.observed import ContainerState
from arcctl.core.stored import Image, Locked, Match, match
from arcctl.errors import PreflightError, UnhealthyError, UsageError
from tests.app.fake_images import FakeImages
from tests.app.fakes import Toy
from tests.core.toy import SHOP

PULLED = ("toy/exporter:2", "toy/front:9", "toy/store:1.0")


def _image(reference: str, name: str = "1") -> Image:
    digest = f"{reference.partition(':')[0]}@sha256:{name}"
    return Image(reference=reference, id=f"sha256:{reference}-{name}", digests=(digest,), size=5)


def _world(toy: Toy, *here: str) -> tuple[World, FakeImages]:
    store = FakeImages({r: _image(r) for r in here}, {r: _image(r, "2") for r in PULLED})
    return replace(toy.world(), images=store), store


@pytest.mark.parametrize(
    ("image", "locked", "found"),
    [
        (None, None, Match.MISSING),
        (None, Locked("a@1", "1"), Match.MISSING),
        (_image("a:1"), None, Match.UNLOCKED),
        (_image("a:1"), Locked("a@sha256:1", "sha256:of-another-store"), Match.LOCKED),
        (Image(reference="a:1", id="7"), Locked("a@sha256:1", "7"), Match.LOCKED),
        (_image("a:1", "2"), Locked("a@sha256:1", "sha256:a:1-1"), Match.OTHER),
    ],
    ids=["nothing", "not here", "not locked", "pulled elsewhere", "carried in a file", "another one"],
)
def test_an_image_is_the_locked_one_by_its_digest_or_by_its_id(
    image: Image | None, locked: Locked | None, found: Match
) -> None:
    assert match(image, locked) is found


def test_the_list_has_each_image_once_with_who_is_made_from_it() -> None:
    world, _ = _world(Toy(), "toy/store:1.0")
    rows = images.listed((), world)
    assert [(r.reference, r.users, r.built, r.match) for r in rows] == [
        ("toy/exporter:2", ("shop-exporter",), False, Match.MISSING),
        ("toy/front:9", ("front",), False, Match.MISSING),
        ("toy/shop:3.1", ("big-shop",), True, Match.MISSING),
        ("toy/store:1.0", ("shop-db", "store"), False, Match.UNLOCKED),
    ]


def test_the_list_says_what_runs_something_else() -> None:
    toy = Toy()
    toy.engine.states = {
        "store": ContainerState(state="running", image="toy/store:0.9", image_id="x"),
        "shop-db": ContainerState(state="exited", image="toy/store:1.0", image_id="sha256:before"),
    }
    world, _ = _world(toy, "toy/store:1.0")
    (row,) = (r for r in images.listed((), world) if r.reference == "toy/store:1.0")
    assert row.runs == ("shop-db is made from another image of this name", "store is made from toy/store:0.9")


def test_the_lock_holds_what_is_pulled_and_here_and_keeps_what_it_had_of_the_rest() -> None:
    toy = Toy()
    before = {"toy/front:9": Locked("toy/front@sha256:0", "0"), "toy/gone:1": Locked("gone", "gone")}
    toy.home.locked = before
    world, _ = _world(toy, "toy/store:1.0", SHOP.image)
    assert images.lock(world)[1] == ("toy/exporter:2", "toy/front:9")
    assert toy.home.locked == {
        "toy/front:9": before["toy/front:9"],
        "toy/store:1.0": Locked("toy/store@sha256:1", "sha256:toy/store:1.0-1"),
    }


def test_nothing_is_locked_where_nothing_is_here() -> None:
    with pytest.raises(UnhealthyError, match="none of the images is here"):
        images.lock(_world(Toy())[0])


def test_a_pull_brings_what_is_pulled_and_says_that_it_is_not_what_was_locked() -> None:
    toy = Toy()
    toy.home.locked = {"toy/store:1.0": Locked("toy/store@sha256:1", "1")}
    world, store = _world(toy)
    rows = images.pull(("store", "big-shop"), world)
    assert store.calls == ["pull toy/exporter:2", "pull toy/store:1.0"]
    assert [(r.reference, r.match) for r in rows] == [
        ("toy/exporter:2", Match.UNLOCKED),
        ("toy/store:1.0", Match.OTHER),
    ]
    assert toy.told[:3] == [
        "working toy/exporter:2 pull",
        "waiting toy/exporter:2 Downloading",
        "ready toy/exporter:2 is here",
    ]


def test_up_warns_of_an_image_that_is_not_what_is_locked() -> None:
    toy = Toy()
    toy.home.locked = {"toy/store:1.0": Locked("toy/store@sha256:9", "9")}
    world, _ = _world(toy, "toy/store:1.0")
    asyncio.run(up.run(up.Request(words=("store",)), world))
    assert "warning toy/store:1.0 is not what is locked (arcctl images list)" in toy.told
    assert "start store" in toy.engine.calls


@pytest.mark.parametrize(
    ("locked", "here", "message"),
    [
        ({}, ("toy/store:1.0",), "toy/store:1.0 is not in the lock"),
        ({"toy/store:1.0": Locked("d", "9")}, ("toy/store:1.0",), "toy/store:1.0 is not what is locked"),
        ({"toy/store:1.0": Locked("d", "9")}, (), "toy/store:1.0 is not here"),
    ],
)
def test_up_locked_refuses_before_anything_starts(
    locked: Mapping[str, Locked], here: tuple[str, ...], message: str
) -> None:
    toy = Toy()
    toy.home.locked = locked
    world, _ = _world(toy, *here)
    with pytest.raises(PreflightError, match=message):
        asyncio.run(up.run(up.Request(words=("store",), locked=True), world))
    assert toy.engine.calls == []


def test_up_locked_starts_what_is_locked() -> None:
    toy = Toy()
    world, _ = _world(toy, "toy/store:1.0")
    images.lock(world)
    asyncio.run(up.run(up.Request(words=("store",), locked=True), world))
    assert "start store" in toy.engine.calls


def test_a_save_of_what_is_not_here_names_it_and_the_next_command() -> None:
    world, store = _world(Toy(), "toy/store:1.0")
    with pytest.raises(UnhealthyError, match="not here: toy/front:9") as caught:
        images.save(("store", "front"), Path("/x"), world)
    assert caught.value.hint == "arcctl images pull store front"
    assert store.calls == []


def test_a_load_says_what_came_and_who_is_made_from_it() -> None:
    world, store = _world(Toy())
    store.remote = {r: _image(r) for r in ("toy/store:1.0", "toy/other:1")}
    assert [(r.reference, r.users) for r in images.load(Path("/x"), world)] == [
        ("toy/store:1.0", ("shop-db", "store")),
        ("toy/other:1", ()),
    ]


@dataclass
class FakeRegistries:
    found: Mapping[str, tuple[str, ...] | str]

    async def tags(self, repositories: Iterable[str], timeout: float) -> Mapping[str, tuple[str, ...] | str]:
        return {r: self.found[r] for r in repositories}


def test_outdated_tells_newer_tags_and_what_is_unknown_and_why() -> None:
    registries = FakeRegistries({"toy/store": ("1.1", "0.9", "1.2"), "toy/front": "HTTP 500", "toy/exporter": ("2",)})
    found = asyncio.run(images.outdated((), _world(Toy())[0], registries))
    assert [(n.reference, n.user, n.tags, n.unknown) for n in found] == [
        ("toy/exporter:2", "shop-exporter", (), ""),
        ("toy/front:9", "front", (), "HTTP 500"),
        ("toy/store:1.0", "store", ("1.2", "1.1"), ""),
    ]


def test_an_engine_without_images_says_where_its_servers_are() -> None:
    with pytest.raises(UsageError, match="runs no images") as caught:
        images.listed((), Toy().world())
    assert caught.value.hint == "arcctl engine list"
