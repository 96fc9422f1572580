"""Sizes as Docker writes them."""

from __future__ import annotations

import pytest

from arcctl.core.usage import size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0B", 0),
        ("12B", 12),
        ("1.5kB", 1500),
        ("48.2MB", 48_200_000),
        ("1GB", 10**9),
        ("10.5MiB ", 11_010_048),
        ("384 MiB", 384 * 2**20),
        ("1.25GiB", 1_342_177_280),
        ("--", 0),
        ("N/A", 0),
        ("7 furlongs", 0),
    ],
)
def test_a_size_is_read_to_the_byte(text: str, expected: int) -> None:
    assert size(text) == expected
