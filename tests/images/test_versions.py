"""Which tags are newer or older."""

from __future__ import annotations

import pytest

from arcctl.images.versions import is_older, newer

REDIS = (
    "8.10.1-alpine",
    "8.12.0-alpine",
    "8.9.0-alpine",
    "8.11.2-alpine",
    "9.0.0",
    "9-alpine",
    "9.1.0-rc1-alpine",
    "x",
)


@pytest.mark.parametrize(
    ("tag", "others", "found"),
    [
        ("8.10.1-alpine", REDIS, ("8.12.0-alpine", "8.11.2-alpine")),
        ("v1.3.1", ("v1.4.0", "1.5.0", "v1.3.0", "v1.10.0", "v2"), ("v1.10.0", "v1.4.0")),
        ("0.8.6-pg18-bookworm", ("0.8.7-pg18-bookworm", "0.9.0-pg19-bookworm"), ("0.8.7-pg18-bookworm",)),
        ("9", ("10", "9.1", "8"), ("10",)),
        ("latest", ("1", "2"), ()),
        ("1.0", (), ()),
    ],
)
def test_newer_tags_are_of_the_same_flavour_newest_first(
    tag: str, others: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert newer(tag, others) == found


@pytest.mark.parametrize(
    ("tag", "than", "older"),
    [("8.9.0", "8.10.1-alpine", True), ("8.11", "8.10.1", False), ("8.10.1", "8.10.1", False), ("edge", "8", False)],
)
def test_a_tag_is_older_where_both_are_versions(tag: str, than: str, older: bool) -> None:
    assert is_older(tag, than) is older
