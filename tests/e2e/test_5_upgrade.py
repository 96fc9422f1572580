"""Settings, images and upgrades: exactly the affected containers change, and `undo` restores them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from arcctl import services
from arcctl.engines.embedded import engine as embedded
from arcctl.engines.embedded import location
from tests.e2e.driver import Platform

IMAGES = {key: container.container.image for key, container in services.load().components().items()}
NEWER = "8.99.0-alpine"
"""A tag that no registry has: here it is a second tag of the same image."""
NEWER_MAJOR = "0.8.6-pg99-bookworm"
PORT = 26_390
KEPT = "arcctl-testbed/kept"


@pytest.fixture(params=["platform", "local_project"])
def bare(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """A project with nothing started, on each engine; the port of Redis is set in its `.env` file."""
    found: Platform = request.getfixturevalue(request.param)
    variables = {k: v for k, v in found.environment.items() if not k.startswith("REDIS_")}
    project = replace(found, environment=variables)
    project.arcctl("clean", "--yes").ok()
    project.arcctl("config", "set", "redis", "host_port", str(PORT - 1)).ok()
    yield project
    project.arcctl("config", "set", "redis", "host_port", "--unset").ok()
    project.arcctl("clean", "--yes").ok()


@pytest.fixture
def docker(platform: Platform) -> Iterator[Platform]:
    """Redis running on Docker, with newer tags of two images; everything is removed afterwards."""
    tags = {IMAGES["redis"]: NEWER, IMAGES["postgres"]: NEWER_MAJOR}
    names = [f"{image.partition(':')[0]}:{tag}" for image, tag in tags.items()]
    for image, name in zip(tags, names, strict=True):
        platform.docker("tag", image, name)
    platform.arcctl("up", "redis").ok()
    yield platform
    platform.arcctl("clean", "--yes").ok()
    for service in ("redis", "postgres"):
        platform.arcctl("config", "set", service, "image_tag", "--unset").ok()
    platform.docker("image", "rm", *names)


def _redis(project: Platform, port: int = 6379) -> redis.Redis:
    return redis.Redis(host="127.0.0.1", port=port, password=project.secrets()["REDIS_PASSWORD"], decode_responses=True)


def _ids(project: Platform) -> dict[str, str]:
    """The container id or the process id of each service."""
    if project.environment.get("ARCCTL_ENGINE") == "embedded":
        from tests.e2e.test_6_embedded import _servers

        return {key: str(process.pid) for key, process in _servers(project).items()}
    lines = project.docker("ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}").splitlines()
    return dict(line.removeprefix("arc_").split() for line in lines if line.startswith("arc_"))


def _image(project: Platform, key: str = "redis") -> str:
    (item,) = (i for i in project.containers(key) if i["name"] == key)
    return str(item["image"])


def test_up_recreates_exactly_what_a_changed_setting_affects(bare: Platform) -> None:
    bare.arcctl("up", "redis", "nats").ok()
    before = _ids(bare)
    done = bare.arcctl("config", "set", "redis", "HOST_PORT", str(PORT)).ok()
    assert done.out.splitlines() == [
        f"REDIS_HOST_PORT: {PORT - 1} (config/redis/.env) -> {PORT} (config/redis/.env)",
        "recreate redis: configuration changed",
    ]
    bare.arcctl("up", "redis", "nats").ok()
    assert {key for key, which in _ids(bare).items() if which != before[key]} == {"redis"}
    assert _redis(bare, PORT).ping()
    assert "nothing to do" in bare.arcctl("up", "redis", "nats").ok().err
    shown = json.loads(bare.arcctl("config", "diff", "--json").ok().out)["settings"]
    assert [(s["value"], s["default"]) for s in shown if s["name"] == "REDIS_HOST_PORT"] == [(str(PORT), "6379")]


@contextmanager
def _kept(project: Platform, image: str) -> Iterator[None]:
    """Restore the image afterwards."""
    project.docker("tag", image, KEPT)
    try:
        yield
    finally:
        project.docker("tag", KEPT, image)
        project.docker("image", "rm", KEPT)


def test_images_are_locked_saved_to_a_file_and_loaded(docker: Platform, tmp_path: Path) -> None:
    file, image = tmp_path / "arc.tar", IMAGES["redis"]
    docker.arcctl("images", "lock").ok()
    with _kept(docker, image):
        docker.arcctl("images", "save", str(file), "redis").ok()
        docker.arcctl("clean", "--yes").ok()
        docker.docker("image", "rm", image)
        assert f"{image} is not pulled" in docker.arcctl("up", "redis", "--locked").err
        loaded = json.loads(docker.arcctl("images", "load", str(file), "--json").ok().out)["images"]
    assert {i["reference"]: (i["present"], i["state"]) for i in loaded} == {
        image: (True, "locked"),
        IMAGES["redis-exporter"]: (True, "locked"),
    }
    docker.arcctl("up", "redis", "--locked").ok()
    docker.docker("tag", IMAGES["nats"], image)
    try:
        assert f"{image} is not the locked image" in docker.arcctl("up", "redis", "--dry-run").ok().err
        assert (
            "redis was created from an earlier image of this name" in docker.arcctl("images", "list", "redis").ok().err
        )
    finally:
        docker.docker("tag", IMAGES["redis"].replace(IMAGES["redis"].partition(":")[2], NEWER), image)


def test_an_upgrade_keeps_the_data_and_undo_restores_image_setting_and_data(docker: Platform) -> None:
    old, new = IMAGES["redis"], f"redis:{NEWER}"
    _redis(docker).set("before", "kept")
    planned = docker.arcctl("upgrade", "--to", f"redis={NEWER}", "--dry-run").ok()
    assert planned.out == f"upgrade redis: {old} -> {new} (asked for)\n"
    refused = docker.arcctl("upgrade", "--to", f"redis={NEWER}")
    assert refused.code == 2
    assert refused.err.endswith(f"hint: arcctl upgrade --to redis={NEWER} --yes\n")
    assert _image(docker) == old

    docker.arcctl("upgrade", "--to", f"redis={NEWER}", "--yes").ok()
    assert (_image(docker), _redis(docker).get("before")) == (new, "kept")
    plain = docker.docker(
        "compose", "-f", "compose/base.yaml", "-f", "compose/stack.yaml", "config", "--images", "redis"
    )
    assert plain.split() == [new]
    assert "nothing to do" in docker.arcctl("up", "redis").ok().err

    _redis(docker).set("after", "lost")
    undone = docker.arcctl("upgrade", "undo", "--yes").ok()
    assert f"back to {old}: redis" in undone.err
    assert (_image(docker), _redis(docker).get("before"), _redis(docker).get("after")) == (old, "kept", None)
    assert "there is no upgrade to undo" in docker.arcctl("upgrade", "undo", "--yes").err
    assert docker.arcctl("verify", "redis").code == 0


def test_a_major_upgrade_of_postgres_is_refused_with_a_hint_and_changes_nothing(docker: Platform) -> None:
    docker.arcctl("up", "postgres").ok()
    before = _ids(docker)
    new = IMAGES["postgres"].partition(":")[0] + f":{NEWER_MAJOR}"
    expected = [
        f"error: postgres: its data has version 18, which {new} cannot read",
        f"hint: arcctl backup create, arcctl clean, arcctl config set postgres IMAGE_TAG {NEWER_MAJOR}, "
        "arcctl up --stack, arcctl backup restore NAME",
    ]
    done = docker.arcctl("upgrade", "--to", f"postgres={NEWER_MAJOR}", "--yes")
    assert (done.code, done.err.splitlines()[-2:]) == (1, expected)
    docker.arcctl("config", "set", "postgres", "image_tag", NEWER_MAJOR).ok()
    assert docker.arcctl("up", "postgres").err.splitlines()[-2:] == expected
    assert _ids(docker) == before
    docker.arcctl("down").ok()
    assert docker.arcctl("up", "postgres").err.splitlines()[-2:] == expected


def test_the_embedded_engine_replaces_a_changed_program_and_refuses_tags(
    local_project: Platform,
) -> None:
    local_project.arcctl("up", "redis").ok()
    port = local_project.port(6379)
    refused = local_project.arcctl("upgrade", "--to", f"redis={NEWER}", "--yes")
    assert (refused.code, refused.err.splitlines()[-1]) == (2, "hint: arcctl engine list")
    assert "nothing to upgrade" in local_project.arcctl("upgrade").ok().err

    _redis(local_project, port).set("before", "kept")
    record = location.base(local_project.directory) / "run" / "redis" / embedded.RECORD
    record.write_text(json.dumps({**json.loads(record.read_text()), "artifact": "earlier", "version": "Valkey 1"}))
    assert (
        local_project.arcctl("upgrade", "--dry-run").ok().out
        == f"replace redis: {IMAGES['redis']} (Valkey 1 runs now)\n"
    )
    local_project.arcctl("upgrade", "--yes").ok()
    assert _redis(local_project, port).get("before") == "kept"
    assert "nothing to upgrade" in local_project.arcctl("upgrade").ok().err
    undone = local_project.arcctl("upgrade", "undo", "--yes")
    assert undone.code == 2
    assert "hint: install the earlier packages, then arcctl backup restore " in undone.err
    local_project.arcctl("clean", "--yes").ok()
