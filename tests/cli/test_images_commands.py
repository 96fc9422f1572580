"""`images`: whole outputs, files that are not what they should be, and an engine that has none."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl import services
from arcctl.core.stored import Image
from arcctl.runtime import archive
from tests.cli.stage import Done, Stage, container

REDIS = services.load().containers()["redis"].image
EXPORTER = services.load().containers()["redis-exporter"].image
DIGEST = "redis@sha256:0123456789abcdef0123"
HERE = {"Id": "sha256:fedcba9876543210", "RepoTags": [REDIS], "RepoDigests": [DIGEST], "Size": 41_000_000}


@pytest.fixture
def one(stage: Stage) -> Stage:
    """An engine that runs redis and has no image but that."""
    stage.engine(container("redis"))
    stage.docker.says("image inspect*", [HERE], err="Error: No such image: x", code=1)
    return stage


def _lock(stage: Stage, identity: str, digest: str = "") -> None:
    document = {"schema": "arcctl.images-lock/v1", "images": {REDIS: {"digest": digest, "id": identity}}}
    (stage.home / "images.lock.json").write_text(json.dumps(document))


def test_list_shows_each_image_its_name_in_registries_and_its_size(one: Stage) -> None:
    done = one.arcctl("images", "list", "redis")
    assert done.out.startswith("IMAGE ")
    assert [line.split() for line in done.out.splitlines()[1:]] == [
        [EXPORTER, "○", "not", "here", "redis-exporter"],
        [REDIS, "✔", "here", "0123456789ab", "41", "MB", "redis"],
    ]
    assert (done.code, done.err) == (0, "warning: redis is made from another image of this name (arcctl up)\n")


def test_list_as_json_has_the_whole_of_it(one: Stage) -> None:
    _lock(one, "sha256:fedcba9876543210")
    document = json.loads(one.arcctl("images", "list", "redis", "--json").out)
    assert document["schema"] == "arcctl.images-list/v1"
    assert document["images"][1] == {
        "reference": REDIS,
        "here": True,
        "id": HERE["Id"],
        "digest": DIGEST,
        "size": 41_000_000,
        "double": False,
        "used_by": ["redis"],
        "built": False,
        "state": "locked",
        "runs": ["redis is made from another image of this name"],
    }


def test_lock_writes_digests_and_names_what_is_not_here(one: Stage) -> None:
    done = one.arcctl("images", "lock")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("images.lock.json: 1 images locked\nnot here, so left as they were: ")
    written = (one.home / "images.lock.json").read_text()
    assert json.loads(written)["images"] == {REDIS: {"digest": DIGEST, "id": HERE["Id"]}}
    one.arcctl("images", "lock")
    assert (one.home / "images.lock.json").read_text() == written


def test_list_and_up_say_that_an_image_is_not_what_is_locked(one: Stage) -> None:
    _lock(one, "sha256:0", "redis@sha256:0")
    assert "✘ not what is locked" in one.arcctl("images", "list", "redis").out
    refused = one.arcctl("up", "redis", "--locked", "--dry-run")
    assert refused.code == 5
    assert f"{REDIS} is not what is locked" in refused.err
    assert "hint: arcctl images list, then arcctl images pull or arcctl images lock" in refused.err
    assert (
        f"! warning: {REDIS} is not what is locked (arcctl images list)" in one.arcctl("up", "redis", "--dry-run").err
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other/v1", "images": {}}'])
def test_a_lock_that_is_none_is_named(one: Stage, text: str) -> None:
    (one.home / "images.lock.json").write_text(text)
    assert one.arcctl("images", "list", "redis") == Done(
        2,
        "",
        f"error: {one.home}/images.lock.json is not a lock of images\nhint: arcctl images lock writes it anew\n",
    )


def test_a_save_of_what_is_not_here_is_refused_with_the_next_command(one: Stage, tmp_path: Path) -> None:
    done = one.arcctl("images", "save", str(tmp_path / "arc.tar"), "redis")
    assert done == Done(1, "", f"error: not here: {EXPORTER}\nhint: arcctl images pull redis\n")
    assert not (tmp_path / "arc.tar").exists()


def test_a_file_is_loaded_when_it_is_whole_and_what_came_is_told(one: Stage, tmp_path: Path) -> None:
    path = tmp_path / "arc.tar"
    image = Image(reference=REDIS, id=str(HERE["Id"]), size=7)
    archive.write(path, {REDIS: image, "old:1": replace(image, reference="old:1")}, _empty)
    one.docker.says("image load *")
    done = one.arcctl("images", "load", str(path))
    assert [line.split()[:3] for line in done.out.splitlines()[1:]] == [[REDIS, "✔", "here"], ["old:1", "○", "not"]]
    assert done.err == "nothing here is made from old:1 (arcctl config diff)\n"
    path.write_bytes(path.read_bytes()[:1200])
    loads = [call for call in one.docker.calls if "image load" in call]
    cut = one.arcctl("images", "load", str(path))
    assert (cut.code, cut.out) == (1, "")
    assert "is no archive of `arcctl images save`, or is cut short" in cut.err
    assert [call for call in one.docker.calls if "image load" in call] == loads


def _empty(path: Path) -> None:
    with tarfile.open(path, "w") as file:
        file.addfile(tarfile.TarInfo("manifest.json"), io.BytesIO())


@pytest.mark.parametrize(
    "words", [("list",), ("lock",), ("pull",), ("save", "x.tar"), ("load", "x.tar"), ("outdated",)]
)
def test_the_embedded_engine_has_no_images_and_says_where_its_servers_are(stage: Stage, words: tuple[str, ...]) -> None:
    done = stage.arcctl("--engine", "embedded", "images", *words)
    assert done == Done(
        2,
        "",
        "error: the embedded engine runs no images: its servers are programs from packages\nhint: arcctl engine list\n",
    )


def test_outdated_without_a_network_knows_nothing_and_is_no_failure(one: Stage) -> None:
    done = subprocess.run(
        (Path(sys.executable).with_name("arcctl"), "--home", one.home, "images", "outdated", "redis", "--json"),
        env={**os.environ, "PATH": one.docker.path, "ARCCTL_ENGINE": "docker", "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [(i["user"], i["tags"]) for i in document["images"]] == [("redis-exporter", []), ("redis", [])]
    assert all(i["unknown"].startswith("no answer from registry-1.docker.io: ") for i in document["images"])
