"""The commands in messages lead to the project that they are about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arcctl.terminal import address


@pytest.fixture(autouse=True)
def elsewhere() -> Iterator[None]:
    address.use("-p shop")
    yield
    address.use("")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("arcctl logs redis", "arcctl -p shop logs redis"),
        ("next: arcctl info, arcctl health", "next: arcctl -p shop info, arcctl -p shop health"),
        ("arcctl logs x, then arcctl up", "arcctl -p shop logs x, then arcctl -p shop up"),
        ("not running (arcctl up redis)", "not running (arcctl -p shop up redis)"),
        ("arcctl --engine docker up", "arcctl -p shop --engine docker up"),
        ("the next `arcctl up` looks", "the next `arcctl -p shop up` looks"),
    ],
)
def test_a_command_names_the_project(text: str, shown: str) -> None:
    assert address.addressed(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "another arcctl command is changing this project",
        "arcctl -p other down",
        "arcctl --project-directory /x init --new-identity",
        "to see which projects there are: arcctl projects",
        "project arcctl: up",
    ],
)
def test_prose_and_commands_for_another_project_stay(text: str) -> None:
    assert address.addressed(text) == text


def test_where_plain_arcctl_finds_the_project_nothing_changes() -> None:
    address.use("")
    assert address.addressed("arcctl up") == "arcctl up"
