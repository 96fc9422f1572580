"""Settings, images and upgrades: what is changed changes, nothing else does, and there is a way back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from arcctl import services
from arcctl.runtime import embedded
from tests.e2e.driver import Platform

IMAGES = {key: container.image for key, container in services.load().containers().items()}
NEWER = "8.99.0-alpine"
"""A tag that no registry has: here it is another name of the same stand-in."""
NEWER_MAJOR = "0.8.6-pg99-bookworm"
PORT = 26_390
KEPT = "arcctl-testbed/kept"


@pytest.fixture(params=["platform", "second_home"])
def bare(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """A home with nothing started, on the one engine and on the other; its own file decides on the port of Redis."""
    found: Platform = request.getfixturevalue(request.param)
    variables = {k: v for k, v in found.environment.items() if not k.startswith("REDIS_")}
    home = replace(found, environment=variables)
    home.arcctl("clean", "--yes").ok()
    home.arcctl("config", "set", "redis", "host_port", str(PORT - 1)).ok()
    yield home
    home.arcctl("config", "set", "redis", "host_port", "--unset").ok()
    home.arcctl("clean", "--yes").ok()


@pytest.fixture
def docker(platform: Platform) -> Iterator[Platform]:
    """The Docker engine with Redis up, a newer tag of each image that is moved, and nothing left of all that."""
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


def _redis(home: Platform, port: int = 6379) -> redis.Redis:
    return redis.Redis(host="127.0.0.1", port=port, password=home.secrets()["REDIS_PASSWORD"], decode_responses=True)


def _ids(home: Platform) -> dict[str, str]:
    """Which container, or which process, each one is."""
    if home.environment.get("ARCCTL_ENGINE") == "embedded":
        from tests.e2e.test_6_embedded import _servers

        return {key: str(process.pid) for key, process in _servers(home).items()}
    lines = home.docker("ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}").splitlines()
    return dict(line.removeprefix("arc_").split() for line in lines if line.startswith("arc_"))


def _image(home: Platform, key: str = "redis") -> str:
    (item,) = (i for i in home.containers(key) if i["name"] == key)
    return str(item["image"])


def test_a_setting_is_changed_and_up_makes_exactly_what_it_concerns_anew(bare: Platform) -> None:
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
def _kept(home: Platform, image: str) -> Iterator[None]:
    """Whatever happens to an image, it is there again afterwards."""
    home.docker("tag", image, KEPT)
    try:
        yield
    finally:
        home.docker("tag", KEPT, image)
        home.docker("image", "rm", KEPT)


def test_images_are_locked_carried_in_a_file_and_taken_in_again_as_they_were(docker: Platform, tmp_path: Path) -> None:
    file, image = tmp_path / "arc.tar", IMAGES["redis"]
    docker.arcctl("images", "lock").ok()
    with _kept(docker, image):
        docker.arcctl("images", "save", str(file), "redis").ok()
        docker.arcctl("clean", "--yes").ok()
        docker.docker("image", "rm", image)
        assert f"{image} is not here" in docker.arcctl("up", "redis", "--locked").err
        loaded = json.loads(docker.arcctl("images", "load", str(file), "--json").ok().out)["images"]
    assert {i["reference"]: (i["here"], i["state"]) for i in loaded} == {
        image: (True, "locked"),
        IMAGES["redis-exporter"]: (True, "locked"),
    }
    docker.arcctl("up", "redis", "--locked").ok()
    docker.docker("tag", IMAGES["nats"], image)
    try:
        assert f"{image} is not what is locked" in docker.arcctl("up", "redis", "--dry-run").ok().err
        assert "redis is made from another image of this name" in docker.arcctl("images", "list", "redis").ok().err
    finally:
        docker.docker("tag", IMAGES["redis"].replace(IMAGES["redis"].partition(":")[2], NEWER), image)


def test_an_upgrade_keeps_the_data_and_undo_brings_image_setting_and_data_back(docker: Platform) -> None:
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


def test_a_major_upgrade_of_postgres_is_refused_with_the_way_to_do_it_and_touches_nothing(docker: Platform) -> None:
    docker.arcctl("up", "postgres").ok()
    before = _ids(docker)
    new = IMAGES["postgres"].partition(":")[0] + f":{NEWER_MAJOR}"
    expected = [
        f"error: postgres: its data is of version 18, which {new} cannot read",
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


def test_on_the_embedded_engine_a_program_that_changed_is_replaced_and_tags_are_refused(second_home: Platform) -> None:
    second_home.arcctl("up", "redis").ok()
    port = second_home.port(6379)
    refused = second_home.arcctl("upgrade", "--to", f"redis={NEWER}", "--yes")
    assert (refused.code, refused.err.splitlines()[-1]) == (2, "hint: arcctl engine list")
    assert "nothing to upgrade" in second_home.arcctl("upgrade").ok().err

    _redis(second_home, port).set("before", "kept")
    made = embedded.base(second_home.home) / "run" / "redis" / "made.json"
    made.write_text(json.dumps({**json.loads(made.read_text()), "artifact": "earlier", "version": "Valkey 1"}))
    assert second_home.arcctl("upgrade", "--dry-run").ok().out == f"replace redis: {IMAGES['redis']} (Valkey 1 runs)\n"
    second_home.arcctl("upgrade", "--yes").ok()
    assert _redis(second_home, port).get("before") == "kept"
    assert "nothing to upgrade" in second_home.arcctl("upgrade").ok().err
    undone = second_home.arcctl("upgrade", "undo", "--yes")
    assert undone.code == 2
    assert "hint: install the earlier ones, then arcctl backup restore " in undone.err
    second_home.arcctl("clean", "--yes").ok()
