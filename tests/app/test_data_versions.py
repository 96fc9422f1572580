"""Data that only one version of a server reads: nothing else is started over it, also when its container is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from arcctl.app import stop, up
from arcctl.app.world import World
from arcctl.core.images import chosen
from arcctl.errors import UpgradeError
from tests.app.fakes import FakeEngine, Toy
from tests.core.toy import STORE, catalogue

DECLARED = catalogue(replace(STORE, image="toy/store:1.0-data8", data_version=r"-data(\d+)"))


@pytest.fixture
def toy() -> Toy:
    return Toy(engine=FakeEngine(DECLARED, kept=("arc_store_data",)))


def _world(toy: Toy, tag: str = "1.0-data8") -> World:
    return replace(toy.world(), catalogue=chosen(DECLARED, {"STORE_IMAGE_TAG": tag}))


def _up(toy: Toy, tag: str = "1.0-data8") -> None:
    toy.home.kept |= {"STORE_PASSWORD": "st0re-secret"}
    asyncio.run(up.run(up.Request(words=("store",)), _world(toy, tag)))


def test_another_version_is_refused_after_down_before_anything_starts(toy: Toy) -> None:
    _up(toy)
    stop.down((), _world(toy))
    toy.engine.calls.clear()
    with pytest.raises(UpgradeError, match=r"store: its data is of version 8, which toy/store:2\.0-data9 cannot read"):
        _up(toy, "2.0-data9")
    assert toy.engine.calls == []


def test_a_newer_image_that_reads_the_same_data_starts(toy: Toy) -> None:
    _up(toy)
    stop.down((), _world(toy))
    _up(toy, "1.5-data8")
    assert "start store" in toy.engine.calls


def test_after_clean_any_version_starts(toy: Toy) -> None:
    _up(toy)
    stop.clean(_world(toy))
    _up(toy, "2.0-data9")
    assert toy.engine.states["store"].running


def test_data_that_went_without_arcctl_holds_nobody_up(toy: Toy) -> None:
    _up(toy)
    stop.down((), _world(toy))
    toy.engine.kept = ()
    _up(toy, "2.0-data9")
    assert toy.engine.states["store"].running
