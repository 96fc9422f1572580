"""`images`: list, lock, pull, save, load, outdated, and `up --locked`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from arcctl.engines.base import ContainerState, PullFailure
from arcctl.errors import EngineError, PreflightError, SettingsError, UnhealthyError, UsageError
from arcctl.images.list import list_
from arcctl.images.load import load
from arcctl.images.lock import lock
from arcctl.images.outdated import outdated
from arcctl.images.pull import pull
from arcctl.images.save import save
from arcctl.lifecycle import up
from arcctl.model.image import Image, Locked, Match, match
from arcctl.project import Project
from arcctl.settings.image_registry import from_mirror
from tests.fakes.catalogue import SHOP, TOY
from tests.fakes.images import FakeImages
from tests.fakes.toy import Toy

MIRROR = "mirror.example.com/hub"
PULLED = ("toy/exporter:2", "toy/front:9", "toy/store:1.0")


def _image(reference: str, name: str = "1") -> Image:
    digest = f"{reference.partition(':')[0]}@sha256:{name}"
    return Image(reference=reference, id=f"sha256:{reference}-{name}", digests=(digest,), size=5)


def _project(toy: Toy, *present: str) -> tuple[Project, FakeImages]:
    store = FakeImages({r: _image(r) for r in present}, {r: _image(r, "2") for r in PULLED})
    toy.engine.image_store = store
    return toy.project(), store


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
    ids=["nothing", "not pulled", "not locked", "pulled elsewhere", "loaded from a file", "another one"],
)
def test_an_image_is_the_locked_one_by_its_digest_or_by_its_id(
    image: Image | None, locked: Locked | None, found: Match
) -> None:
    assert match(image, locked) is found


def test_the_list_has_each_image_once_with_the_containers_that_use_it() -> None:
    project, _ = _project(Toy(), "toy/store:1.0")
    rows = list_((), project)
    assert [(r.reference, r.used_by, r.built, r.state) for r in rows] == [
        ("toy/exporter:2", ("shop-exporter",), False, Match.MISSING),
        ("toy/front:9", ("front",), False, Match.MISSING),
        ("toy/shop:3.1", ("big-shop",), True, Match.MISSING),
        ("toy/store:1.0", ("shop-db", "store"), False, Match.UNLOCKED),
    ]


def test_the_list_names_containers_that_were_created_from_another_image() -> None:
    toy = Toy()
    toy.engine.states = {
        "store": ContainerState(state="running", image="toy/store:0.9", image_id="x"),
        "shop-db": ContainerState(state="exited", image="toy/store:1.0", image_id="sha256:before"),
    }
    project, _ = _project(toy, "toy/store:1.0")
    (row,) = (r for r in list_((), project) if r.reference == "toy/store:1.0")
    assert row.mismatches == (
        "shop-db was created from an earlier image of this name",
        "store was created from toy/store:0.9",
    )


def test_the_lock_has_the_pulled_images_and_keeps_its_other_entries() -> None:
    toy = Toy()
    before = {"toy/front:9": Locked("toy/front@sha256:0", "0"), "toy/gone:1": Locked("gone", "gone")}
    toy.directory.locked = before
    project, _ = _project(toy, "toy/store:1.0", SHOP.container.image)
    assert lock(project).missing == ("toy/exporter:2", "toy/front:9")
    assert toy.directory.locked == {
        "toy/front:9": before["toy/front:9"],
        "toy/store:1.0": Locked("toy/store@sha256:1", "sha256:toy/store:1.0-1"),
    }


def _in_mirror(toy: Toy, **digests: str) -> tuple[Project, FakeImages]:
    """The project with a mirror; its engine has these images from there, by the last word of their name."""
    toy.engine.catalogue = from_mirror(TOY, MIRROR)
    project, store = _project(toy)
    store.present = {i.reference: i for n, digest in digests.items() if (i := _mirrored(f"toy/{n}", digest))}
    return replace(project, catalogue=toy.engine.catalogue), store


def _mirrored(name: str, digest: str) -> Image:
    tag = next(r.partition(":")[2] for r in PULLED if r.startswith(f"{name}:"))
    digests = (f"{name}@sha256:{digest}0", f"{MIRROR}/{name}@sha256:{digest}")
    return Image(reference=f"{MIRROR}/{name}:{tag}", id=f"sha256:{name}-there", digests=digests)


def test_the_lock_is_the_same_with_and_without_a_mirror() -> None:
    toy = Toy()
    before = {"toy/front:9": Locked("toy/front@sha256:1", "1"), "toy/gone:1": Locked("gone", "gone")}
    toy.directory.locked = before
    project, _ = _in_mirror(toy, store="1")
    assert [(r.reference, r.state) for r in list_(("front", "store"), project)] == [
        (f"{MIRROR}/toy/front:9", Match.MISSING),
        (f"{MIRROR}/toy/store:1.0", Match.UNLOCKED),
    ]
    assert lock(project).missing == (f"{MIRROR}/toy/exporter:2", f"{MIRROR}/toy/front:9")
    assert toy.directory.locked == {
        "toy/front:9": before["toy/front:9"],
        "toy/store:1.0": Locked("toy/store@sha256:1", "sha256:toy/store-there"),
    }
    assert [r.state for r in list_(("store",), _project(toy, "toy/store:1.0")[0])] == [Match.LOCKED]


def test_what_a_mirror_serves_must_have_the_locked_digest() -> None:
    toy = Toy()
    toy.directory.locked = {"toy/store:1.0": Locked("toy/store@sha256:1", "1")}
    assert [r.state for r in list_(("store",), _in_mirror(toy, store="1")[0])] == [Match.LOCKED]
    project, _ = _in_mirror(toy, store="7")
    asyncio.run(up.up(up.Request(words=("store",), dry_run=True), project))
    assert f"warning {MIRROR}/toy/store:1.0 is not the locked image (arcctl images list)" in toy.printed
    with pytest.raises(PreflightError, match=f"{MIRROR}/toy/store:1.0 is not the locked image"):
        asyncio.run(up.up(up.Request(words=("store",), locked=True), project))


def test_the_list_says_from_where_each_image_comes() -> None:
    rows = list_((), _in_mirror(Toy())[0])
    assert [(r.upstream, r.registry) for r in rows] == [
        ("toy/exporter:2", "mirror.example.com"),
        ("toy/front:9", "mirror.example.com"),
        ("toy/shop:3.1", None),
        ("toy/store:1.0", "mirror.example.com"),
    ]
    assert [r.registry for r in list_(("store",), _project(Toy())[0])] == ["docker.io"]


def test_the_mirror_is_asked_for_newer_tags() -> None:
    registries = FakeRegistries({f"{MIRROR}/toy/front": ("9", "10")})
    found = asyncio.run(outdated(("front",), _in_mirror(Toy())[0], registries))
    assert [(n.reference, n.component, n.tags) for n in found] == [(f"{MIRROR}/toy/front:9", "front", ("10",))]


def test_nothing_is_pulled_with_a_mirror_that_cannot_be_one() -> None:
    toy = Toy()
    toy.environment["ARCCTL_IMAGES_REGISTRY"] = "me:s3ntinel@a.b"
    project, store = _project(toy)
    with pytest.raises(SettingsError, match="has no user and no password"):
        asyncio.run(pull(("store",), project))
    assert store.calls == []


def test_nothing_is_locked_where_nothing_is_pulled() -> None:
    with pytest.raises(UnhealthyError, match="no image is pulled, so there is nothing to lock"):
        lock(_project(Toy())[0])


def test_a_pull_skips_built_images_and_compares_with_the_lock() -> None:
    toy = Toy()
    toy.directory.locked = {"toy/store:1.0": Locked("toy/store@sha256:1", "1")}
    project, store = _project(toy)
    rows = asyncio.run(pull(("store", "big-shop"), project))
    assert store.calls == ["pull toy/exporter:2 toy/store:1.0"]
    assert [(r.reference, r.state) for r in rows] == [
        ("toy/exporter:2", Match.UNLOCKED),
        ("toy/store:1.0", Match.OTHER),
    ]
    assert [f"{e.kind} {e.subject}" for e in toy.events if not e.detail] == [
        "pulling toy/exporter:2",
        "ready toy/exporter:2",
        "pulling toy/store:1.0",
        "ready toy/store:1.0",
    ]


def test_a_pull_that_fails_names_the_command_that_goes_on() -> None:
    project, store = _project(Toy())
    store.failures["toy/store:1.0"] = [PullFailure(reason="it rains", hint="take a coat", passing=False)]
    with pytest.raises(EngineError, match=r"^cannot pull toy/store:1\.0: it rains$") as caught:
        asyncio.run(pull(("store", "big-shop"), project))
    assert caught.value.hint == "take a coat, then arcctl images pull store big-shop"


def test_up_warns_of_an_image_that_is_not_the_locked_one() -> None:
    toy = Toy()
    toy.directory.locked = {"toy/store:1.0": Locked("toy/store@sha256:9", "9")}
    project, _ = _project(toy, "toy/store:1.0")
    asyncio.run(up.up(up.Request(words=("store",)), project))
    assert "warning toy/store:1.0 is not the locked image (arcctl images list)" in toy.printed
    assert "start store" in toy.engine.calls


@pytest.mark.parametrize(
    ("locked", "present", "message"),
    [
        ({}, ("toy/store:1.0",), "toy/store:1.0 is not in images.lock.json"),
        ({"toy/store:1.0": Locked("d", "9")}, ("toy/store:1.0",), "toy/store:1.0 is not the locked image"),
        ({"toy/store:1.0": Locked("d", "9")}, (), "toy/store:1.0 is not pulled"),
    ],
)
def test_up_locked_refuses_before_anything_starts(
    locked: Mapping[str, Locked], present: tuple[str, ...], message: str
) -> None:
    toy = Toy()
    toy.directory.locked = locked
    project, _ = _project(toy, *present)
    with pytest.raises(PreflightError, match=message):
        asyncio.run(up.up(up.Request(words=("store",), locked=True), project))
    assert toy.engine.calls == []


def test_up_locked_starts_locked_images() -> None:
    toy = Toy()
    project, _ = _project(toy, "toy/store:1.0")
    lock(project)
    asyncio.run(up.up(up.Request(words=("store",), locked=True), project))
    assert "start store" in toy.engine.calls


def test_a_save_without_an_image_names_it_and_the_next_command() -> None:
    project, store = _project(Toy(), "toy/store:1.0")
    with pytest.raises(UnhealthyError, match="the engine does not have toy/front:9") as caught:
        save(("store", "front"), Path("/x"), project)
    assert caught.value.hint == "arcctl images pull store front"
    assert store.calls == []


def test_a_save_writes_every_image_of_the_services(tmp_path: Path) -> None:
    project, store = _project(Toy(), *PULLED, SHOP.container.image)
    report = save(("store", "front"), tmp_path / "x.tar", project)
    assert store.calls == ["save toy/front:9 toy/store:1.0"]
    assert (report.size, [image.reference for image in report.images]) == (7, ["toy/front:9", "toy/store:1.0"])


def test_a_load_reports_the_images_and_the_containers_that_use_them() -> None:
    project, store = _project(Toy())
    store.remote = {r: _image(r) for r in ("toy/store:1.0", "toy/other:1")}
    assert [(r.reference, r.used_by) for r in load(Path("/x"), project)] == [
        ("toy/store:1.0", ("shop-db", "store")),
        ("toy/other:1", ()),
    ]


@pytest.mark.parametrize("mirror", [True, False], ids=["into a project with a mirror", "from one with a mirror"])
def test_a_load_gives_the_images_of_another_mirror_the_names_of_this_project(mirror: bool) -> None:
    project, store = _in_mirror(Toy()) if mirror else _project(Toy())
    own = f"{MIRROR}/toy/store:1.0" if mirror else "toy/store:1.0"
    theirs = "old.example.com/toy/store:1.0"
    store.remote = {r: _image(r) for r in (theirs, "toy/other:1")}
    assert [(r.reference, r.present, r.used_by) for r in load(Path("/x"), project)] == [
        (own, True, ("shop-db", "store")),
        ("toy/other:1", True, ()),
    ]
    assert store.calls == [f"name {theirs} {own}"]


@dataclass
class FakeRegistries:
    found: Mapping[str, tuple[str, ...] | str]

    async def tags(self, repositories: Iterable[str], timeout: float) -> Mapping[str, tuple[str, ...] | str]:
        return {r: self.found[r] for r in repositories}


def test_outdated_reports_newer_tags_or_why_they_are_unknown() -> None:
    registries = FakeRegistries({"toy/store": ("1.1", "0.9", "1.2"), "toy/front": "HTTP 500", "toy/exporter": ("2",)})
    found = asyncio.run(outdated((), _project(Toy())[0], registries))
    assert [(n.reference, n.component, n.tags, n.unknown) for n in found] == [
        ("toy/exporter:2", "shop-exporter", (), ""),
        ("toy/front:9", "front", (), "HTTP 500"),
        ("toy/store:1.0", "store", ("1.2", "1.1"), ""),
    ]


def test_an_engine_without_images_names_the_command_for_its_servers() -> None:
    with pytest.raises(UsageError, match="runs no images") as caught:
        list_((), Toy().project())
    assert caught.value.hint == "arcctl engine list"
