"""Which image a container is made from, and the setting that says otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.model.image import split
from arcctl.settings.image_tags import chosen, tag_settings
from tests.fakes.catalogue import SHOP, SHOP_DB, STORE, TOY, catalogue


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("redis:8.10.1-alpine", ("redis", "8.10.1-alpine")),
        ("localhost:5000/a/b:1", ("localhost:5000/a/b", "1")),
        ("localhost:5000/a/b", ("localhost:5000/a/b", "")),
        ("redis", ("redis", "")),
        ("redis:8@sha256:abc", ("redis:8@sha256:abc", "")),
    ],
)
def test_a_reference_is_a_repository_and_a_tag(reference: str, parts: tuple[str, str]) -> None:
    assert split(reference) == parts


def test_each_image_that_is_pulled_has_one_setting_which_belongs_to_who_runs_it() -> None:
    found = {s.name: (s.service, s.reference) for s in tag_settings(TOY).values()}
    assert found == {
        "FRONT_IMAGE_TAG": ("front", "toy/front:9"),
        "STORE_IMAGE_TAG": ("store", "toy/store:1.0"),
        "BIG_SHOP_SHOP_EXPORTER_IMAGE_TAG": ("big-shop", "toy/exporter:2"),
    }


def test_a_helper_that_this_engine_leaves_out_keeps_its_setting() -> None:
    context = replace(SHOP, components=(SHOP_DB,), left_out=SHOP.components[1:])
    assert set(tag_settings(catalogue(STORE, context))) == {"toy/store:1.0", "toy/exporter:2"}


def test_another_tag_reaches_every_container_that_is_made_from_the_image_and_no_other() -> None:
    made = chosen(TOY, {"STORE_IMAGE_TAG": "1.1"})
    assert {
        k: c.container.image
        for k, c in made.components().items()
        if c.container.image != TOY.components()[k].container.image
    } == {
        "store": "toy/store:1.1",
        "shop-db": "toy/store:1.1",
    }


def test_the_default_stays_the_default_when_another_tag_was_chosen() -> None:
    made = chosen(TOY, {"STORE_IMAGE_TAG": "1.1"})
    names = {s.name: s.variable.default for s in tag_settings(TOY).values()}
    assert {s.name: s.variable.default for s in tag_settings(made).values()} == names
    for tag in ("1.2", "1.0"):  # 1.0 is the default
        assert chosen(made, {"STORE_IMAGE_TAG": tag}).components()["store"].container.image == f"toy/store:{tag}"


def test_the_tag_of_the_declaration_changes_nothing() -> None:
    assert chosen(TOY, {"STORE_IMAGE_TAG": "1.0", "OTHER": "x"}) is TOY
