"""A user's own file: what it may say, and what is said to who wrote something else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from arcctl.custom.schema import CustomPort, read
from arcctl.errors import SettingsError, UsageError
from arcctl.settings.location import refuse_name

LEAST = {"image": "me/shop:1"}
PORT = {"container": 80, "host": 8100}


def _refusal(document: object) -> str:
    with pytest.raises(SettingsError) as caught:
        read("shop", document)
    assert caught.value.hint == "edit services/shop.yaml"
    return caught.value.message.removeprefix("services/shop.yaml: ")


def test_an_image_alone_is_a_service() -> None:
    found = read("shop", LEAST)
    assert (found.image, found.ports, found.needs, found.database, found.memory_mb) == ("me/shop:1", (), (), False, 256)


def test_a_folder_to_build_stands_for_an_image() -> None:
    assert read("shop", {"build": "apps/shop"}).build == "apps/shop"


def test_a_port_has_a_place_on_the_host_and_a_name() -> None:
    assert read("shop", {**LEAST, "ports": [PORT]}).ports == (CustomPort(container=80, host=8100, name="http"),)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"prots": [PORT]}, "prots: unknown field, did you mean ports?"),
        ({"xyz": 1}, "xyz: unknown field"),
        ({"ports": [{"conatiner": 80, "host": 1}]}, "conatiner: unknown field, did you mean container?"),
        ({"embedded": {"command": ["a"], "locks": "x"}}, "embedded.locks: unknown field, did you mean lock?"),
        ({"ports": [{"container": "80", "host": 8100}]}, "ports.0.container: input should be a valid integer"),
        ({"ports": [{"container": 70000, "host": 8100}]}, "ports.0.container: input should be less than or equal to"),
        ({"ports": [PORT, {"container": 81, "host": 8101}]}, "ports: two have the same name"),
        ({"image": "me/shop"}, "image: name a version, such as nginx:1.29-alpine; latest is not a version"),
        ({"image": "me/shop:latest"}, "image: name a version"),
        ({"image": ""}, "name an image, or a folder to build"),
        ({"build": "../elsewhere"}, "build: string should match pattern"),
        ({"build": "/etc"}, "build: string should match pattern"),
        ({"web": True}, "web, metrics and probe need a port"),
        ({"probe": "/health"}, "web, metrics and probe need a port"),
        ({"probe": "https://x", "ports": [PORT]}, "probe: string should match pattern"),
        ({"database": "yes"}, "database: input should be a valid boolean"),
        ({"environment": {"PORT": 80}}, "environment.PORT: input should be a valid string"),
        ({"environment": {"A": "costs $5"}}, "environment.A: write $$ for a dollar sign, ${NAME} for a variable"),
        ({"environment": {"A-B": "x"}}, "environment.A-B: string should match pattern"),
        ({"command": ["serve", "${REDIS_PASSWORD}"]}, "command: only ${PORT} is replaced there"),
        ({"embedded": {"command": []}}, "embedded.command: tuple should have at least 1 item"),
        ({"user": "me"}, "user: string should match pattern"),
        ({"volumes": {"data": "data"}}, "volumes.data: string should match pattern"),
        ({"memory_mb": 1}, "memory_mb: input should be greater than or equal to 8"),
    ],
)
def test_what_does_not_fit_is_said_with_its_field(said: dict[str, Any], found: str) -> None:
    assert found in _refusal({**LEAST, **said})


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert _refusal({**LEAST, "prots": 1, "web": "x"}).count("; ") == 1


@pytest.mark.parametrize("document", [None, [], "nginx", 7])
def test_a_file_that_holds_something_else_is_refused(document: object) -> None:
    assert _refusal(document) == "fields and values are expected here"


@pytest.mark.parametrize("text", ["$$5", "${REDIS_PASSWORD}", "a ${A}b$$c", "$${NOT_A_VARIABLE}"])
def test_a_dollar_sign_is_written_twice_and_a_variable_in_braces(text: str) -> None:
    assert read("shop", {**LEAST, "environment": {"A": text}}).environment == {"A": text}


@pytest.mark.parametrize("name", ["shop", "my-agent", "a", "a1-b2"])
def test_a_name_is_small_letters_digits_and_single_dashes(name: str) -> None:
    refuse_name(name, ())


@pytest.mark.parametrize("name", ["", "Shop", "1shop", "-a", "a-", "a--b", "a_b", "a.b", "../a", "ä", "a" * 33])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a service"):
        refuse_name(name, ())


@pytest.mark.parametrize("name", ["shop", "images"])
def test_a_name_that_somebody_has_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is already in use"):
        refuse_name(name, ["shop"])


def test_a_name_that_is_a_date_and_a_part_that_is_inside_itself_are_refused() -> None:
    inside: list[object] = []
    inside.append(inside)
    for document in ({date(2026, 1, 1): "x"}, {"image": inside}):
        with pytest.raises(SettingsError, match=r"^services/shop\.yaml: "):
            read("shop", document)
