"""The names of images that are built from a project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from arcctl.engines.docker.engine import DockerEngine
from arcctl.model.env import NAME
from arcctl.render import compose
from arcctl.settings.built_images import as_they_are, of_project, own
from tests.fakes.catalogue import FRONT, STORE, catalogue

BUILT = replace(FRONT, needs=(), container=replace(FRONT.container, image=f"{NAME}-front:1", build="apps/front"))
CATALOGUE = catalogue(STORE, BUILT)


def _image(project: str) -> str:
    return of_project(CATALOGUE, project).services["front"].container.image


def test_two_projects_do_not_share_what_they_build() -> None:
    assert (_image("shop"), _image("shop-2")) == ("shop-front:1", "shop-2-front:1")
    assert of_project(CATALOGUE, "shop").services["store"] == STORE


def test_a_project_that_is_renamed_gets_the_images_of_its_new_name() -> None:
    assert of_project(of_project(CATALOGUE, "front"), "shop").services["front"].container.image == "shop-front:1"


def test_compose_reads_the_name_of_the_project() -> None:
    text = compose.dump(compose.overlay(BUILT.layer, of_project(CATALOGUE, "shop")))
    assert "image: ${ARCCTL_PROJECT_NAME:-arc}-front:1" in text


def test_a_second_platform_of_a_project_uses_its_images() -> None:
    sandbox = as_they_are(of_project(CATALOGUE, "shop"))
    assert of_project(sandbox, "shop_verify").services["front"].container.image == "shop-front:1"
    assert "image: shop-front:1" in compose.dump(compose.overlay(BUILT.layer, sandbox))


def test_an_image_of_another_project_gets_the_name_of_this_one() -> None:
    here = of_project(CATALOGUE, "shop")
    assert own("arc-front:1", here) == "shop-front:1"
    assert own("arc-back:1", here) == own("redis:8", here) == ""


def test_an_engine_builds_under_the_name_of_its_project(tmp_path: Path) -> None:
    engine = DockerEngine(CATALOGUE, (), tmp_path / "compose.env", "shop")
    assert next(engine.named("store").fetch("front")) == "build store-front:1"
