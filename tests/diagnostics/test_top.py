"""`top`: which containers are measured, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.diagnostics import top
from arcctl.engines.base import ContainerState
from arcctl.errors import UnhealthyError
from arcctl.model.service import Catalogue
from arcctl.project import Project
from tests.fakes.catalogue import FRONT, SHOP, STORE
from tests.fakes.toy import FakeEngine, Toy

CATALOGUE = Catalogue({"big-shop": SHOP, "front": FRONT, "store": STORE})


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine(CATALOGUE)
    engine.start(("store",))
    return engine


@pytest.fixture
def project(engine: FakeEngine) -> Project:
    return replace(Toy(engine=engine).project(), catalogue=CATALOGUE)


def test_every_running_container_is_measured_the_largest_first(engine: FakeEngine, project: Project) -> None:
    engine.start(("shop-exporter", "big-shop"))
    report = top.top((), project)
    assert [(row.name, row.service, row.memory_bytes, row.disk_bytes) for row in report.containers] == [
        ("shop-exporter", "big-shop", 1300, None),
        ("big-shop", "big-shop", 800, None),
        ("store", "store", 500, 7),
    ]
    assert top.top(("store",), project, {"store": 9}).containers[0].disk_bytes == 9
    assert report.disk == {"store": 7}


def test_of_a_layer_only_running_containers_are_measured(project: Project) -> None:
    assert top.top(("platform",), project).containers == ()


def test_a_stopped_service_that_is_named_is_refused(engine: FakeEngine, project: Project) -> None:
    engine.states["store"] = ContainerState(state="exited")
    with pytest.raises(UnhealthyError, match="store is not running") as caught:
        top.top(("store",), project)
    assert (caught.value.exit_code, caught.value.hint) == (1, "arcctl up store")
