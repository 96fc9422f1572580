"""`images`: whole outputs, broken files, and an engine without images."""

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
from arcctl.engines.docker.images import write_archive
from arcctl.model.image import Image
from tests.cli.command_line import CommandLine, Done, container

REDIS = services.load().components()["redis"].container.image
EXPORTER = services.load().components()["redis-exporter"].container.image
DIGEST = "redis@sha256:0123456789abcdef0123"
HERE = {"Id": "sha256:fedcba9876543210", "RepoTags": [REDIS], "RepoDigests": [DIGEST], "Size": 41_000_000}


@pytest.fixture
def one(cli: CommandLine) -> CommandLine:
    """An engine that runs redis and has no image but that."""
    cli.engine(container("redis"))
    cli.docker.says("image inspect*", [HERE], err="Error: No such image: x", code=1)
    return cli


def _lock(cli: CommandLine, identity: str, digest: str = "") -> None:
    document = {"schema": "arcctl.images-lock/v1", "images": {REDIS: {"digest": digest, "id": identity}}}
    (cli.directory / "images.lock.json").write_text(json.dumps(document))


def test_list_shows_each_image_with_its_digest_and_size(one: CommandLine) -> None:
    done = one.arcctl("images", "list", "redis")
    assert done.out.startswith("IMAGE ")
    assert [line.split() for line in done.out.splitlines()[1:]] == [
        [EXPORTER, "docker.io", "○", "missing", "redis-exporter"],
        [REDIS, "docker.io", "✔", "present", "0123456789ab", "41", "MB", "redis"],
    ]
    assert (done.code, done.err) == (0, "warning: redis was created from an earlier image of this name (arcctl up)\n")


def test_list_as_json_has_every_field(one: CommandLine) -> None:
    _lock(one, "sha256:fedcba9876543210")
    document = json.loads(one.arcctl("images", "list", "redis", "--json").out)
    assert document["schema"] == "arcctl.images-list/v1"
    assert document["images"][1] == {
        "reference": REDIS,
        "upstream": REDIS,
        "registry": "docker.io",
        "present": True,
        "id": HERE["Id"],
        "digest": DIGEST,
        "size": 41_000_000,
        "stub": False,
        "used_by": ["redis"],
        "built": False,
        "state": "locked",
        "mismatches": ["redis was created from an earlier image of this name"],
    }


def test_list_shows_the_mirror_of_the_project_and_that_what_is_built_comes_from_nowhere(one: CommandLine) -> None:
    one.environment["ARCCTL_IMAGES_REGISTRY"] = "mirror.example.com/hub"
    assert [line.split()[:3] for line in one.arcctl("images", "list", "redis").out.splitlines()[1:]] == [
        [EXPORTER, "mirror.example.com", "○"],
        [REDIS, "mirror.example.com", "○"],
    ]
    assert "(built here)" in one.arcctl("images", "list", "swiss-army").out
    document = json.loads(one.arcctl("images", "list", "redis", "--json").out)
    assert document["images"][1]["reference"] == f"mirror.example.com/hub/library/{REDIS}"


def test_lock_writes_digests_and_names_missing_images(one: CommandLine) -> None:
    done = one.arcctl("images", "lock")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("images.lock.json: 1 image locked\nnot pulled, so not changed: ")
    written = (one.directory / "images.lock.json").read_text()
    assert json.loads(written)["images"] == {REDIS: {"digest": DIGEST, "id": HERE["Id"]}}
    one.arcctl("images", "lock")
    assert (one.directory / "images.lock.json").read_text() == written


def test_list_and_up_say_that_an_image_is_not_the_locked_one(one: CommandLine) -> None:
    _lock(one, "sha256:0", "redis@sha256:0")
    assert "✘ not the locked image" in one.arcctl("images", "list", "redis").out
    refused = one.arcctl("up", "redis", "--locked", "--dry-run")
    assert refused.code == 5
    assert f"{REDIS} is not the locked image" in refused.err
    assert "hint: arcctl images list, then arcctl images pull or arcctl images lock" in refused.err
    assert (
        f"! warning: {REDIS} is not the locked image (arcctl images list)" in one.arcctl("up", "redis", "--dry-run").err
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", " is empty"),
        ("[]", ", line 1: names and values are expected here"),
        ("{}", ", line 1: schema is missing"),
        ('{"schema":\n "other/v1", "images": {}}', ", line 1, entry schema: 'arcctl.images-lock/v1' is expected here"),
    ],
)
def test_a_file_that_is_not_a_lock_is_refused(one: CommandLine, text: str, wrong: str) -> None:
    path = one.directory / "images.lock.json"
    path.write_text(text)
    again = f"mv {path} {path}.damaged, then arcctl images lock"
    hint = f"repair it, put the committed one back, or record the images that are pulled now: {again}"
    for command in (("images", "list", "redis"), ("images", "lock"), ("up", "redis", "--dry-run")):
        done = one.arcctl(*command)
        assert (done.code, done.out) == (2, "")
        assert done.err.endswith(f"error: {path}{wrong}\nhint: {hint}\n")
    path.rename(f"{path}.damaged")
    assert one.arcctl("images", "lock").code == 0


def test_a_damaged_lock_is_not_in_the_way_where_no_images_run(one: CommandLine) -> None:
    (one.directory / "images.lock.json").write_text("{}")
    one.environment["ARCCTL_ENGINE"] = "embedded"
    assert one.arcctl("up", "redis", "--dry-run").code == 0


def test_a_save_without_an_image_is_refused_with_the_next_command(one: CommandLine, tmp_path: Path) -> None:
    done = one.arcctl("images", "save", str(tmp_path / "arc.tar"), "redis")
    assert done == Done(1, "", f"error: the engine does not have {EXPORTER}\nhint: arcctl images pull redis\n")
    assert not (tmp_path / "arc.tar").exists()


LAYER = '{"id": "a1", "parent_id": "i1", "text": "Downloading", "current": 1000000, "total": 5000000}\n'
PULLED = '{"id": "i0", "text": "Pulled"}\n' + LAYER + '{"id": "i1", "text": "Pulled"}\n'


def test_pull_prints_a_line_for_each_image_and_its_size(one: CommandLine) -> None:
    one.docker.says("compose*pull", err=PULLED)
    done = one.arcctl("images", "pull", "redis")
    assert [line.split(" s  ")[-1] for line in done.err.splitlines()] == [
        f"✔ ready {EXPORTER}: pulled",
        f"… pulling {REDIS}: from Docker Hub",
        f"✔ ready {REDIS}: pulled, 5.0 MB",
        "warning: redis was created from an earlier image of this name (arcctl up)",
    ]
    assert (done.code, done.out.splitlines()[2].split()[:4]) == (0, [REDIS, "docker.io", "✔", "present"])


def test_a_pull_that_needs_a_login_says_so_with_the_command_that_goes_on(one: CommandLine) -> None:
    one.docker.says("compose*pull", err='{"id": "i1", "text": "Error", "status": "unauthorized"}\n' + PULLED, code=1)
    done = one.arcctl("images", "pull", "redis")
    assert done.code == 3
    assert done.err.splitlines()[-2:] == [
        f"error: cannot pull {REDIS}: Docker Hub wants a login",
        "hint: docker login, then arcctl images pull redis",
    ]


def test_a_whole_file_is_loaded_and_a_damaged_one_is_not(one: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "arc.tar"
    image = Image(reference=REDIS, id=str(HERE["Id"]), size=7)
    write_archive(path, {REDIS: image, "old:1": replace(image, reference="old:1")}, _empty)
    one.docker.says("image load *")
    done = one.arcctl("images", "load", str(path))
    states = [line.split()[:4] for line in done.out.splitlines()[1:]]
    assert states == [[REDIS, "docker.io", "✔", "present"], ["old:1", "docker.io", "○", "missing"]]
    assert done.err == "no service uses old:1 (arcctl config diff)\n"
    path.write_bytes(path.read_bytes()[:1200])
    loads = [call for call in one.docker.calls if "image load" in call]
    cut = one.arcctl("images", "load", str(path))
    assert (cut.code, cut.out) == (1, "")
    assert "is not an archive of `arcctl images save`, or is incomplete" in cut.err
    assert [call for call in one.docker.calls if "image load" in call] == loads


def _empty(path: Path) -> None:
    with tarfile.open(path, "w") as file:
        file.addfile(tarfile.TarInfo("manifest.json"), io.BytesIO())


@pytest.mark.parametrize(
    "words", [("list",), ("lock",), ("pull",), ("save", "x.tar"), ("load", "x.tar"), ("outdated",)]
)
def test_the_embedded_engine_has_no_images(cli: CommandLine, words: tuple[str, ...]) -> None:
    done = cli.arcctl("--engine", "embedded", "images", *words)
    assert done == Done(
        2,
        "",
        "error: the embedded engine runs no images: its servers are programs from packages\nhint: arcctl engine list\n",
    )


def test_outdated_without_a_network_knows_nothing_and_is_no_failure(one: CommandLine) -> None:
    done = subprocess.run(
        (
            Path(sys.executable).with_name("arcctl"),
            "--project-directory",
            one.directory,
            "images",
            "outdated",
            "redis",
            "--json",
        ),
        env={**os.environ, "PATH": one.docker.path, "ARCCTL_ENGINE": "docker", "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [(i["component"], i["tags"]) for i in document["images"]] == [("redis-exporter", []), ("redis", [])]
    assert all(i["unknown"].startswith("no answer from registry-1.docker.io: ") for i in document["images"])
