"""The registry mirror of a project: what it can be, which images it has, and what Compose makes of it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl.model.image import mirrored, place, upstream
from arcctl.model.service import Catalogue
from arcctl.settings.image_registry import FORM, NAME, from_mirror, problem, upstreams, variable_reference
from arcctl.settings.image_tags import chosen, tag_settings
from tests.fakes.catalogue import SHOP, STORE, TOY, catalogue

MIRROR = "mirror.example.com/hub"
HASH = f"@sha256:{'0' * 64}"
IN_MIRROR = {
    "redis:8": f"{MIRROR}/library/redis:8",
    "grafana/loki:3": f"{MIRROR}/grafana/loki:3",
    "quay.io/a/b:1": f"{MIRROR}/a/b:1",
    "localhost:5000/a:1": f"{MIRROR}/a:1",
    "docker.io/library/redis:8": f"{MIRROR}/library/redis:8",
    f"redis:8{HASH}": f"{MIRROR}/library/redis:8{HASH}",
}


def _images(known: Catalogue) -> dict[str, str]:
    return {key: component.container.image for key, component in known.components().items()}


@pytest.mark.parametrize(
    ("repository", "registry", "path"),
    [
        ("redis", "docker.io", "library/redis"),
        ("redis:8", "docker.io", "library/redis:8"),
        ("grafana/loki", "docker.io", "grafana/loki"),
        ("quay.io/a/b", "quay.io", "a/b"),
        ("localhost/a", "localhost", "a"),
        ("localhost:5000/a", "localhost:5000", "a"),
    ],
)
def test_a_repository_has_the_registry_that_docker_uses(repository: str, registry: str, path: str) -> None:
    assert place(repository) == (registry, path)


@pytest.mark.parametrize(("reference", "there"), IN_MIRROR.items())
def test_a_mirror_takes_the_place_of_the_registry_and_can_be_told_from_the_name(reference: str, there: str) -> None:
    assert mirrored(reference, MIRROR) == there
    assert upstream(there, reference) == reference
    assert (mirrored(reference, ""), upstream(reference, reference)) == (reference, reference)


@pytest.mark.parametrize("reference", ["", "bitnami/redis:8", "quay.io/other/redis:8", f"{MIRROR}/redis:8"])
def test_another_image_than_the_declared_one_keeps_its_name(reference: str) -> None:
    assert upstream(reference, "redis:8") == reference


def test_another_tag_of_the_declared_image_is_known_in_a_mirror() -> None:
    assert upstream("old.example.com/library/redis:7", "redis:8") == "redis:7"


def test_every_image_that_is_pulled_is_in_the_mirror_and_a_built_one_is_not() -> None:
    made = from_mirror(TOY, MIRROR)
    built = SHOP.container.image
    assert _images(made) == {k: i if i == built else f"{MIRROR}/{i}" for k, i in _images(TOY).items()}
    assert upstreams(made) == {image: _images(TOY)[key] for key, image in _images(made).items()}
    assert from_mirror(TOY, "") is TOY


def test_tag_settings_are_the_same_with_a_mirror_and_a_chosen_tag_is_pulled_from_there() -> None:
    there = from_mirror(chosen(TOY, {"STORE_IMAGE_TAG": "1.1"}), MIRROR)
    assert {s.name: s.reference for s in tag_settings(there).values()} == {
        s.name: s.reference for s in tag_settings(TOY).values()
    }
    assert _images(there)["store"] == _images(there)["shop-db"] == f"{MIRROR}/toy/store:1.1"
    assert _images(chosen(there, {"STORE_IMAGE_TAG": "1.2"}))["store"] == f"{MIRROR}/toy/store:1.2"
    assert upstreams(there)[f"{MIRROR}/toy/store:1.1"] == "toy/store:1.1"


def test_an_image_without_a_setting_for_its_tag_is_in_the_mirror_too() -> None:
    pinned = replace(STORE, container=replace(STORE.container, image=f"toy/store:1{HASH}"))
    there = from_mirror(catalogue(pinned), MIRROR)
    assert upstreams(there) == {f"{MIRROR}/toy/store:1{HASH}": f"toy/store:1{HASH}"}


@pytest.mark.parametrize(
    "registry",
    [
        "",
        MIRROR,
        "mirror.example.com",
        "localhost",
        "localhost:5000/a",
        "mirror:5000",
        "10.0.0.1/a_b/c-d.e",
        "a.b/c__d",
    ],
)
def test_a_mirror_is_a_host_and_a_path(registry: str) -> None:
    assert problem(registry) == ""


@pytest.mark.parametrize(
    ("registry", "said"),
    [
        ("https://mirror.example.com", "is written without https://"),
        ("http://mirror.example.com", "is written without http://"),
        ("s3ntinel://mirror.example.com", "is written without a scheme such as https://"),
        (f"{MIRROR}@sha256", "is where images are, without the @sha256 of one"),
        (f"{MIRROR}{HASH}", "is where images are, without the @sha256 of one"),
        ("mirror.example.com:65536/hub", "has a port that is none: at most 65535"),
        ("mirror.example.com:0", "has a port that is none: at most 65535"),
        ("me:s3ntinel@mirror.example.com/hub", "has no user and no password: `docker login` keeps those"),
        ("docker.io/mine", "is docker.io, where images come from without a mirror"),
        ("registry-1.docker.io", "is docker.io, where images come from without a mirror"),
        *((text, f"is not {FORM}") for text in ("mirror", "mirror/hub", f"{MIRROR}/", "Mirror.example.com", "a.b:x")),
        *((text, f"is not {FORM}") for text in ("a.b//c", "a.b/c d", "-a.b", "a..b", "$HOME.b", f"{MIRROR}\n", "/a.b")),
    ],
)  # fmt: skip
def test_anything_else_is_not_and_is_never_printed(registry: str, said: str) -> None:
    assert problem(registry) == said


@pytest.mark.usefixtures("compose_cli")
@pytest.mark.parametrize("values", [{}, {NAME: ""}, {NAME: MIRROR}], ids=["not set", "empty", "a mirror"])
def test_compose_reads_the_same_references(tmp_path: Path, values: Mapping[str, str]) -> None:
    path = tmp_path / "compose.yaml"
    texts = [f"  s{n}:\n    image: {variable_reference(reference)}\n" for n, reference in enumerate(IN_MIRROR)]
    path.write_text(f"services:\n{''.join(texts)}")
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    done = subprocess.run(
        ("docker", "compose", "-f", str(path), "config", "--images"), capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == set(IN_MIRROR.values() if values.get(NAME) else IN_MIRROR)
    assert NAME not in done.stderr
