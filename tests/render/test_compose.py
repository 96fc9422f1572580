"""The Compose documents of the toy catalogue, compared whole with the texts in `golden/`."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arcctl.model.service import Checks, Layer, Service
from arcctl.render import compose
from arcctl.render.compose import dump
from tests.fakes.catalogue import FRONT, SHOP, STORE, TOY, catalogue

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("layer", [Layer.OBSERVABILITY, Layer.PLATFORM])
def test_a_layer_becomes_this_document(layer: Layer) -> None:
    assert dump(compose.overlay(layer, TOY)) == (GOLDEN / compose.FILES[layer]).read_text()


def test_production_closes_all_ports_but_the_gateways_and_leaves_one_shots_alone() -> None:
    assert dump(compose.production(compose.PRODUCTION["prod.yaml"], TOY)) == (GOLDEN / "prod.yaml").read_text()


def test_an_engine_elsewhere_gets_parts_of_a_volume_in_the_place_of_bind_mounts() -> None:
    assert dump(compose.remote(TOY)) == (GOLDEN / "remote.yaml").read_text()


@pytest.mark.usefixtures("compose_cli")
@pytest.mark.parametrize(
    "files",
    [("base",), ("base", "stack"), ("base", "stack", "prod"), ("base", "stack", "remote")],
    ids="+".join,
)
def test_compose_takes_the_documents(files: tuple[str, ...]) -> None:
    words = [word for name in files for word in ("-f", str(GOLDEN / f"{name}.yaml"))]
    done = subprocess.run(("docker", "compose", *words, "config", "-q"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_project_is_named_once_by_the_layer_that_stands_alone() -> None:
    named = {layer: compose.overlay(layer, TOY).get("name") for layer in Layer}
    assert named == {Layer.OBSERVABILITY: "${ARCCTL_PROJECT_NAME:-arc}", Layer.PLATFORM: None, Layer.CUSTOM: None}


def test_a_document_holds_no_empty_field() -> None:
    services = compose.overlay(Layer.PLATFORM, TOY)["services"]
    assert [(k, f) for k, s in services.items() for f, v in s.items() if v in ("", [], {}, None, False)] == []


@pytest.mark.parametrize(
    ("need", "condition"),
    [(STORE, "service_healthy"), (replace(STORE, checks=Checks()), "service_started")],
    ids=["with a check inside", "without one"],
)
def test_compose_waits_for_the_most_that_a_need_can_show(need: Service[Any], condition: str) -> None:
    context = replace(SHOP, needs=(need,))
    document = compose.overlay(Layer.PLATFORM, catalogue(need, context))
    assert document["services"]["big-shop"]["depends_on"] == {
        "shop-db": {"condition": "service_completed_successfully"},
        "store": {"condition": condition},
    }


def test_a_layer_without_services_is_an_empty_document() -> None:
    assert compose.overlay(Layer.PLATFORM, catalogue(STORE)) == {"services": {}}


def test_the_order_of_equals_does_not_depend_on_chance() -> None:
    front = replace(FRONT, needs=(SHOP, STORE))
    turned = replace(FRONT, needs=(STORE, SHOP))
    texts = {dump(compose.overlay(Layer.PLATFORM, catalogue(SHOP, f, STORE))) for f in (front, turned)}
    assert len(texts) == 1
