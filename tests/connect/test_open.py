"""`open`: which endpoint is the web page, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.connect.open import web_page
from arcctl.engines.base import ContainerState, Unavailable
from arcctl.errors import UnhealthyError, UsageError
from arcctl.model.connection import Endpoint
from arcctl.model.service import Catalogue
from arcctl.project import Project, ensure_secrets
from tests.fakes.catalogue import FRONT, STORE
from tests.fakes.toy import FakeEngine, Toy

ENDPOINTS = (Endpoint(name="wire", url="store://x"), Endpoint(name="ui", url="u", is_web_page=True))
CATALOGUE = Catalogue(
    {"front": FRONT, "store": replace(STORE, network=replace(STORE.network, endpoints=lambda env: ENDPOINTS))}
)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine(CATALOGUE)
    engine.start(("store",))
    return engine


@pytest.fixture
def project(engine: FakeEngine) -> Project:
    return ensure_secrets(replace(Toy(engine=engine).project(), catalogue=CATALOGUE), ())


def test_the_web_page_is_the_endpoint_for_a_browser(project: Project) -> None:
    assert web_page("store", project).url == "u"


def test_a_service_without_a_web_page_is_refused(project: Project) -> None:
    with pytest.raises(UsageError, match="front has no web page") as caught:
        web_page("front", project)
    assert caught.value.hint == "arcctl info front"


def test_a_stopped_service_has_no_web_page(engine: FakeEngine, project: Project) -> None:
    engine.states["store"] = ContainerState(state="exited")
    with pytest.raises(UnhealthyError, match="store is not running") as caught:
        web_page("store", project)
    assert (caught.value.exit_code, caught.value.hint) == (1, "arcctl up store")


def test_a_service_that_is_not_available_has_the_command_that_changes_that(
    engine: FakeEngine, project: Project
) -> None:
    engine.unavailable = {"store": Unavailable("it was not built", "build store")}
    with pytest.raises(UnhealthyError, match="store is not available here: it was not built") as caught:
        web_page("store", project)
    assert caught.value.hint == "build store"
