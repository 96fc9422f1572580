"""Whose Docker engine it is, told by what `docker info` says, and where its socket is for containers."""

from __future__ import annotations

from typing import Any

import pytest

from arcctl.engines.base import too_old
from arcctl.engines.docker import products
from tests.fakes import engine_products as shapes

SAID = [(name, info) for name, infos in shapes.OF.items() for info in infos]


@pytest.mark.parametrize(("name", "info"), SAID, ids=[f"{name}-{info['Name']}" for name, info in SAID])
def test_each_product_is_told_by_what_it_says(name: str, info: dict[str, Any]) -> None:
    found = products.product(info)
    assert (found.name if found else "") == name


@pytest.mark.parametrize("info", [shapes.DOCKER_ENGINE, shapes.ROOTLESS, {}, {"ClientInfo": None}])
def test_an_engine_of_its_own_on_linux_is_none_of_them(info: dict[str, Any]) -> None:
    assert products.product(info) is None


def test_every_product_has_a_shape_that_tells_it_and_an_address_for_what_is_said() -> None:
    assert {product.name for product in products.PRODUCTS} == set(shapes.OF) == set(products.Name)
    assert all(source.startswith("https://") for product in products.PRODUCTS for source in product.sources)


def test_podman_is_not_taken_for_an_old_docker() -> None:
    assert products.versions(shapes.PODMAN) == {"Podman": "4.3.1"}
    assert products.untested(shapes.PODMAN) == "Podman 4.3.1"
    assert products.untested({"ServerVersion": "29.1.0"}) == ""
    assert too_old({**products.versions(shapes.PODMAN), "Compose": "2.40.3"}) is None
    assert products.versions(shapes.DOCKER_ENGINE) == {"Docker": "28.5.2"}


def test_the_id_that_podman_makes_up_at_each_call_tells_nothing() -> None:
    assert products.engine_id(shapes.PODMAN) == ""
    assert products.engine_id(shapes.DOCKER_ENGINE) == "b02bc96f-e857-407d-875f-6a991d946593"


@pytest.mark.parametrize(
    ("info", "endpoint", "near", "path"),
    [
        (shapes.DOCKER_DESKTOP, "unix:///Users/ada/.docker/run/docker.sock", False, products.SOCKET),
        (shapes.DOCKER_DESKTOP_ON_WSL, "unix:///var/run/docker.sock", True, products.SOCKET),
        (shapes.COLIMA, "unix:///Users/ada/.colima/default/docker.sock", False, products.SOCKET),
        (shapes.PODMAN_MACHINE, "unix:///Users/ada/podman.sock", False, products.SOCKET),
        (shapes.PODMAN, "unix:///run/podman/podman.sock", True, "/run/podman/podman.sock"),
        (shapes.ROOTLESS, "unix:///run/user/1000/docker.sock", True, "/run/user/1000/docker.sock"),
        (shapes.DOCKER_ENGINE, "unix:///tmp/tunnel.sock", False, ""),
        (shapes.DOCKER_ENGINE, "tcp://docker:2376", True, ""),
        (shapes.DOCKER_ENGINE, "", True, ""),
    ],
)
def test_in_a_virtual_machine_the_socket_is_where_docker_has_it(
    info: dict[str, Any], endpoint: str, near: bool, path: str
) -> None:
    assert products.socket_to_mount(products.product(info), endpoint, near=near) == path


def test_more_memory_is_given_by_a_command_or_a_setting_with_the_number_in_it() -> None:
    assert [product.give(6) for product in products.PRODUCTS] == [
        "Docker Desktop, Settings, Resources, Memory limit: at least 6 GB",
        "orb config set memory_mib 6144, then orb stop and orb start",
        "colima stop, then colima start --memory 6",
        "rdctl set --virtual-machine.memory-in-gb=6 --kubernetes.enabled=false",
        "podman machine stop, then podman machine set --memory 6144 and podman machine start",
    ]
