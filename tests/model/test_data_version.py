"""The version of a server's data, in the tag of its image."""

from __future__ import annotations

import pytest

from arcctl.model.data_version import data_version, tag_for
from tests.fakes.catalogue import STORE, with_data_version


def test_a_tag_has_the_version_of_the_data() -> None:
    store = with_data_version(STORE)
    assert (data_version(store, "toy/store:2.0-data9"), data_version(store, "toy/store:2.0")) == ("9", "")
    assert data_version(STORE, "toy/store:2.0-data9") == ""


@pytest.mark.parametrize(("version", "tag"), [("7", "1.0-data7"), ("12", "1.0-data12")])
def test_the_tag_for_other_data_is_that_of_the_image_with_its_version(version: str, tag: str) -> None:
    assert tag_for(with_data_version(STORE), version) == tag
    assert tag_for(STORE, version) == ""
