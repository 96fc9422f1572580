"""Data that only one version of a server reads: nothing else is started over it, also when its container is gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from arcctl.engines.base import Observed
from arcctl.errors import UpgradeError
from arcctl.lifecycle import clean, down, up
from arcctl.model.data_version import SERVERS_NOTE
from arcctl.project import Project
from arcctl.settings.image_tags import chosen
from tests.fakes.catalogue import STORE, catalogue, with_data_version
from tests.fakes.toy import FakeEngine, Toy

DECLARED = catalogue(with_data_version(STORE))


@pytest.fixture
def toy() -> Toy:
    return Toy(engine=FakeEngine(DECLARED, kept=("arc_store_data",)))


def _project(toy: Toy, tag: str = "1.0-data8") -> Project:
    return replace(toy.project(), catalogue=chosen(DECLARED, {"STORE_IMAGE_TAG": tag}))


def _up(toy: Toy, tag: str = "1.0-data8") -> None:
    toy.directory.kept |= {"STORE_PASSWORD": "st0re-secret"}
    asyncio.run(up.up(up.Request(words=("store",)), _project(toy, tag)))


def test_another_version_is_refused_after_down_before_anything_starts(toy: Toy) -> None:
    _up(toy)
    down.down((), _project(toy))
    toy.engine.calls.clear()
    with pytest.raises(UpgradeError, match=r"store: its data has version 8, which toy/store:2\.0-data9 cannot read"):
        _up(toy, "2.0-data9")
    assert toy.engine.calls == []


def test_a_newer_image_that_reads_the_same_data_starts(toy: Toy) -> None:
    _up(toy)
    down.down((), _project(toy))
    _up(toy, "1.5-data8")
    assert "start store" in toy.engine.calls


def test_after_clean_any_version_starts(toy: Toy) -> None:
    _up(toy)
    clean.clean(_project(toy))
    _up(toy, "2.0-data9")
    assert toy.engine.states["store"].running


def test_the_local_server_that_ran_on_the_data_is_remembered_until_clean(toy: Toy) -> None:
    @dataclass
    class Local(FakeEngine):
        def observe(self) -> Observed:
            found = super().observe()
            return replace(found, containers={k: replace(s, version="wheel 1.2") for k, s in found.containers.items()})

    toy.engine = Local(DECLARED, kept=("arc_store_data",))
    _up(toy)
    assert toy.directory.note(SERVERS_NOTE) == {"store": "wheel 1.2"}
    down.down((), _project(toy))
    _up(toy)
    clean.clean(_project(toy))
    assert toy.directory.note(SERVERS_NOTE) == {}


def test_data_that_was_deleted_without_arcctl_refuses_nothing(toy: Toy) -> None:
    _up(toy)
    down.down((), _project(toy))
    toy.engine.kept = ()
    _up(toy, "2.0-data9")
    assert toy.engine.states["store"].running
