"""Several projects beside each other, which get their ports by themselves."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis

from arcctl.settings import known_projects
from tests.e2e.driver import Platform

LIGHT = ("redis", "nats")
ALL_LIGHT = ("postgres", "redis", "nats", "traefik")


@contextlib.contextmanager
def _projects(environment: Mapping[str, str], *names: str) -> Iterator[tuple[Platform, ...]]:
    """Directories without any setting, with nothing started; all are cleaned at the end."""
    folder = Path(tempfile.mkdtemp(prefix="arc-ports-"))
    folder.chmod(0o755)
    found = [Platform(folder / name, {**environment, "ARCCTL_PROJECT_NAME": name}) for name in names]
    try:
        for project in found:
            project.directory.mkdir(mode=0o755)
        yield tuple(found)
    finally:
        for project in found:
            project.arcctl("clean", "--yes")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def embedded() -> Iterator[tuple[Platform, ...]]:
    """Two projects that `up` creates at the same instant."""
    with _projects({**os.environ, "ARCCTL_ENGINE": "embedded"}, "one", "two") as projects:
        for project in projects:
            project.arcctl("init").ok()
        _up_together(projects)
        yield projects


@pytest.fixture(scope="module")
def docker(engine: dict[str, str]) -> Iterator[tuple[Platform, ...]]:
    with _projects(engine, "one", "two") as projects:
        for project in projects:
            project.arcctl("init").ok()
        _up_together(projects)
        yield projects


@pytest.fixture(params=["embedded", pytest.param("docker", marks=pytest.mark.docker)], scope="module")
def projects(request: pytest.FixtureRequest) -> tuple[Platform, ...]:
    found: tuple[Platform, ...] = request.getfixturevalue(request.param)
    return found


def _redis(project: Platform) -> redis.Redis:
    return redis.Redis.from_url(project.variables("redis")["REDIS_URL"], decode_responses=True)


def _up_together(projects: tuple[Platform, ...]) -> None:
    children = [project.start("up", *LIGHT) for project in projects]
    said = [child.communicate(timeout=300)[1] for child in children]
    assert [child.returncode for child in children] == [0, 0], said


def _ports(project: Platform) -> dict[str, str]:
    """The value of each setting that is a port."""
    settings = json.loads(project.arcctl("config", "show", "--json").ok().out)["settings"]
    return {s["name"]: s["value"] for s in settings if s["name"].endswith("_PORT")}


def test_two_projects_have_no_port_in_common(projects: tuple[Platform, ...]) -> None:
    listed = {entry.name: set(entry.ports.values()) for entry in known_projects.known()}
    first, second = (listed[project.directory.name] for project in projects)
    assert (bool(first), first & second) == (True, set())


def test_both_are_healthy_and_each_has_its_own_data(projects: tuple[Platform, ...]) -> None:
    for project in projects:
        assert project.health(*LIGHT)["status"] == "healthy"
        with _redis(project) as client:
            client.set("whose", project.directory.name)
    for project in projects:
        with _redis(project) as client:
            assert client.get("whose") == project.directory.name


def test_addresses_have_the_ports_of_their_project(projects: tuple[Platform, ...]) -> None:
    for project in projects:
        ports = _ports(project)
        assert f":{ports['REDIS_HOST_PORT']}" in project.arcctl("info", "redis").ok().out
        assert f":{ports['NATS_HOST_PORT']}" in project.variables("nats")["NATS_URL"]


def test_the_second_keeps_its_ports_when_the_first_is_down(projects: tuple[Platform, ...]) -> None:
    first, second = projects
    before = _ports(second)
    first.arcctl("down").ok()
    second.arcctl("down").ok()
    second.arcctl("up", *LIGHT).ok()
    first.arcctl("up", *LIGHT).ok()
    assert _ports(second) == before


def test_a_third_project_leaves_the_ports_of_one_that_is_down_alone(projects: tuple[Platform, ...]) -> None:
    first, _ = projects
    first.arcctl("down").ok()
    with _projects(first.environment, "three") as (third,):
        refused = third.arcctl("init", "--fixed-ports")
        port = _ports(first)["REDIS_HOST_PORT"]
        if port == "6379":
            assert f"port {port} (redis) is reserved by the project one ({first.directory})" in refused.err
        assert refused.code == 5
        third.arcctl("init").ok()
        assert _ports(third)["REDIS_HOST_PORT"] != port
    first.arcctl("up", *LIGHT).ok()


def test_a_port_that_is_taken_later_is_refused_and_not_changed(projects: tuple[Platform, ...]) -> None:
    _, second = projects
    port = _ports(second)["REDIS_HOST_PORT"]
    second.arcctl("down").ok()
    with socket.create_server(("127.0.0.1", int(port))):
        done = second.arcctl("up", "redis")
    assert (done.code, f"port {port} (redis) is already in use by" in done.err) == (5, True)
    second.arcctl("up", *LIGHT).ok()


def test_the_light_services_run_in_eight_projects() -> None:
    environment = {**os.environ, "ARCCTL_ENGINE": "embedded"}
    with _projects(environment, *(f"p{number}" for number in range(8))) as projects:
        for project in projects:
            project.arcctl("init").ok()
            project.arcctl("up", *ALL_LIGHT).ok()
        for project in projects:
            assert project.health(*ALL_LIGHT)["status"] == "healthy"
        numbers = [port for project in projects for port in _ports(project).values()]
        assert len(numbers) == len(set(numbers))
