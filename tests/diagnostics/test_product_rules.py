"""What `doctor` says of engines in virtual machines, of Podman, and of engines without root, as it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arcctl.diagnostics.facts import EngineReport, Facts, SocketMount
from arcctl.diagnostics.rules import judge
from arcctl.engines.base import EngineFacts
from arcctl.engines.docker import products
from tests.fakes import engine_products as shapes
from tests.fakes.machines import FINE, GIGABYTE

PROXY = SocketMount(service="gate", component="gate-proxy", setting="GATE_SOCKET", path="/var/run/docker.sock")


def _on(info: dict[str, Any], *, near: bool = False, endpoint: str = "", root: str = "/Users/ada/arc") -> Facts:
    """A machine without problems, whose engine says this."""
    found = products.product(info)
    facts = EngineFacts(versions=products.versions(info), memory=info["MemTotal"], cpus=2, disk=None)
    report: EngineReport = replace(
        FINE.engine,
        facts=facts,
        same_kernel=near,
        product=found,
        in_wsl=products.in_wsl(info),
        docker_socket=products.socket_to_mount(found, endpoint, near=near),
        rootless="name=rootless" in info["SecurityOptions"],
    )
    return replace(
        FINE,
        host=replace(FINE.host, home="/Users/ada", lowest_port=1024 if near else None),
        directory=replace(FINE.directory, root=root),
        engine=report,
        memory_wanted=13 * GIGABYTE,
        memory_default=6 * GIGABYTE,
        socket_mounts=(PROXY,),
    )


def _lines(facts: Facts, *ids: str) -> list[str]:
    told = [diagnosis for diagnosis in judge(facts) if diagnosis.id in ids]
    return [f"{d.state} {d.id}: {d.evidence}" + (f" -> {d.fix}" if d.fix else "") for d in told]


@pytest.mark.parametrize(
    ("info", "line"),
    [
        (
            shapes.DOCKER_DESKTOP,
            "ok product: Docker Desktop, in a virtual machine; for containers this machine is host.docker.internal",
        ),
        (
            shapes.DOCKER_DESKTOP_ON_WSL,
            "ok product: Docker Desktop, on WSL 2; for containers this machine is host.docker.internal",
        ),
        (
            shapes.PODMAN,
            "warn product: Podman 4.3.1 answers in the place of Docker: not tested with arcctl"
            " -> where there is a Docker engine too: unset DOCKER_HOST, then docker context use default",
        ),
    ],
)
def test_whose_engine_it_is_is_said(info: dict[str, Any], line: str) -> None:
    assert _lines(_on(info), "product") == [line]


def test_podman_that_has_no_compose_is_named_without_its_version() -> None:
    facts = _on(shapes.PODMAN)
    silent = replace(facts, engine=replace(facts.engine, facts=None))
    assert _lines(silent, "product")[0].startswith("warn product: Podman answers in the place of Docker")


def test_dockers_own_engine_on_linux_needs_no_word() -> None:
    assert _lines(_on(shapes.DOCKER_ENGINE, near=True), "product", "shared-folders") == []


@pytest.mark.parametrize(
    ("info", "near", "fix"),
    [
        (shapes.COLIMA, False, "colima stop, then colima start --memory 6"),
        (shapes.DOCKER_DESKTOP_ON_LINUX, False, "Docker Desktop, Settings, Resources, Memory limit: at least 7 GB"),
        (shapes.RANCHER_DESKTOP, False, "rdctl set --virtual-machine.memory-in-gb=7 --kubernetes.enabled=false"),
        (
            shapes.PODMAN_MACHINE,
            False,
            "podman machine stop, then podman machine set --memory 6144 and podman machine start",
        ),
        (
            {**shapes.DOCKER_DESKTOP_ON_WSL, "MemTotal": 2 * GIGABYTE},
            True,
            "set memory=6GB below [wsl2] in %UserProfile%\\.wslconfig on Windows, then wsl --shutdown",
        ),
        ({**shapes.PODMAN, "MemTotal": 2 * GIGABYTE}, True, "give the engine more memory"),
        ({**shapes.DOCKER_ENGINE, "MemTotal": 2 * GIGABYTE}, True, "give the engine more memory"),
    ],
)
def test_a_virtual_machine_that_is_too_small_is_told_with_what_gives_it_more(
    info: dict[str, Any], near: bool, fix: str
) -> None:
    assert _lines(_on(info, near=near), "memory") == [
        f"warn memory: the engine has {info['MemTotal'] >> 20} MiB, all services together may use 13312 MiB, those that"
        f" `arcctl up` starts 6144 MiB -> {fix}, or start fewer services: arcctl up NAME"
    ]


def test_a_virtual_machine_that_is_large_enough_is_fine() -> None:
    assert _lines(_on(shapes.ORBSTACK), "memory") == [
        "ok memory: the engine has 16046 MiB, all services together may use 13312 MiB, those that"
        " `arcctl up` starts 6144 MiB"
    ]


@pytest.mark.parametrize(
    ("info", "root", "line"),
    [
        (
            shapes.COLIMA,
            "/private/tmp/arc",
            "warn shared-folders: the project directory is /private/tmp/arc, and Colima shares /Users/ada unless told"
            " otherwise -> add the folder below `mounts:` after colima stop, colima start --edit;"
            " or move it below ~: arcctl --project-directory ~/arc init",
        ),
        (
            shapes.DOCKER_DESKTOP,
            "/opt/arc",
            "warn shared-folders: the project directory is /opt/arc, and Docker Desktop shares /Users/ada, /Users,"
            " /Volumes, /private, /tmp, /var/folders unless told otherwise"
            " -> add the folder in Docker Desktop, Settings, Resources, File sharing;"
            " or move it below ~: arcctl --project-directory ~/arc init",
        ),
    ],
)
def test_a_project_that_containers_cannot_mount_is_told(info: dict[str, Any], root: str, line: str) -> None:
    assert _lines(_on(info, root=root), "shared-folders") == [line]


def test_a_project_below_a_shared_folder_is_fine_and_a_folder_with_a_longer_name_is_not_below_it() -> None:
    assert _lines(_on(shapes.COLIMA), "shared-folders")[0].startswith("ok shared-folders: ")
    assert _lines(_on(shapes.COLIMA, root="/Users/adam/arc"), "shared-folders")[0].startswith("warn ")


@pytest.mark.parametrize(
    ("info", "near"), [(shapes.ORBSTACK, False), (shapes.DOCKER_DESKTOP_ON_WSL, True), (shapes.PODMAN, True)]
)
def test_where_every_folder_is_shared_none_is_asked_for(info: dict[str, Any], near: bool) -> None:
    assert _lines(_on(info, near=near, root="/opt/arc"), "shared-folders") == []


@pytest.mark.parametrize(
    ("info", "near", "endpoint", "lines"),
    [
        (
            shapes.DOCKER_DESKTOP,
            False,
            "unix:///Users/ada/.docker/run/docker.sock",
            ["ok docker-socket: gate-proxy mounts /var/run/docker.sock"],
        ),
        (
            shapes.DOCKER_ENGINE,
            True,
            "unix:///run/docker.sock",
            ["ok docker-socket: gate-proxy mounts /var/run/docker.sock"],
        ),
        (
            shapes.ROOTLESS,
            True,
            "unix:///run/user/1000/docker.sock",
            [
                "warn docker-socket: gate-proxy mounts /var/run/docker.sock,"
                " and the engine's socket is /run/user/1000/docker.sock"
                " -> set GATE_SOCKET=/run/user/1000/docker.sock in config/gate/.env, then arcctl up gate"
            ],
        ),
        (shapes.DOCKER_ENGINE, False, "tcp://docker:2376", []),
    ],
)
def test_what_mounts_the_socket_has_to_follow_it(
    info: dict[str, Any], near: bool, endpoint: str, lines: list[str]
) -> None:
    assert _lines(_on(info, near=near, endpoint=endpoint), "docker-socket") == lines


def test_a_podman_machine_without_root_is_told_how_to_get_ports_below_1024() -> None:
    facts = replace(_on(shapes.PODMAN_MACHINE), low_ports={80: "gate"})
    assert _lines(facts, "low-ports") == [
        "warn low-ports: the machine of Podman has no root, and publishes no port below 1024: 80 (gate)"
        " -> podman machine stop, then podman machine set --rootful and podman machine start"
    ]
    assert _lines(replace(facts, low_ports={}), "low-ports") == [
        "ok low-ports: the machine of Podman has no root, and publishes no port below 1024"
    ]


def test_an_engine_without_root_on_this_machine_gets_the_kernel_setting() -> None:
    (line,) = _lines(replace(_on(shapes.ROOTLESS, near=True), low_ports={80: "gate"}), "low-ports")
    assert line.endswith(" -> sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80")
