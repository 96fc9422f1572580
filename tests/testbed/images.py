"""Builds the stand-in images on our engine; an image is made anew only when what it is made from changed."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from arcctl.core.sources import Source
from tests.testbed.catalogue import ARTIFACTS, BY_NAME, RAW, Image
from tests.testbed.places import cache, docker_host
from tests.testbed.rootfs import bootstrap
from tests.testbed.shell import TestbedError, output, run, say

BASE_PACKAGES = ("ca-certificates", "netbase", "procps", "tzdata")
HASH_LABEL = "arcctl.testbed.hash"
KIND_LABEL = "arcctl.standin"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
IGNORED = {"__pycache__", ".venv", ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def docker(*arguments: str | Path) -> list[str | Path]:
    """A docker command for our engine."""
    return ["docker", "--host", docker_host(), *arguments]


def fingerprint(image: Image) -> str:
    """A hash of everything an image is made from."""
    digest = hashlib.sha256()
    for path in sources(image.folder):
        digest.update(str(path.relative_to(image.folder)).encode())
        digest.update(oct(path.stat().st_mode & 0o111).encode())
        digest.update(path.read_bytes())
    if image.artifact is not None:
        digest.update(ARTIFACTS.path(image.artifact).name.encode())
    for parent in image.parents:
        digest.update(fingerprint(BY_NAME[parent]).encode())
    if not image.parents and CERTIFICATES.exists():
        digest.update(CERTIFICATES.read_bytes())
    return digest.hexdigest()[:16]


def sources(folder: Path) -> Iterable[Path]:
    """The files of a build context, in a stable order."""
    found = (path for path in folder.rglob("*") if path.is_file() and not IGNORED & set(path.parts))
    return sorted(found)


def label(reference: str, name: str) -> str:
    """A label of an image on our engine; empty when there is no such image."""
    template = "{{index .Config.Labels " + f'"{name}"' + "}}"
    return output(docker("image", "inspect", "--format", template, reference)) or ""


def is_ready(image: Image) -> bool:
    """Whether the engine holds this image, made from what is here now."""
    return label(image.reference, HASH_LABEL) == fingerprint(image)


def buildable(image: Image) -> bool:
    """Whether somebody has written this image's Dockerfile."""
    return (image.folder / "Dockerfile").is_file()


def ensure_raw() -> None:
    """Import a minimal Debian as the ground every image stands on."""
    if output(docker("image", "inspect", RAW)) is not None:
        return
    tar = cache() / "raw.tar"
    if not tar.exists():
        say("making the base file system")
        draft = tar.with_name("raw.draft.tar")
        bootstrap(BASE_PACKAGES, draft)
        draft.rename(tar)
    run(docker("import", tar, RAW))


def ensure(image: Image) -> None:
    """Build an image unless it is ready."""
    if is_ready(image):
        return
    if not buildable(image):
        raise TestbedError(f"{image.name}: no Dockerfile in {image.folder}")
    if image.artifact:
        make_artifact(image.artifact)
    if not image.parents:
        ensure_raw()
    say(f"making {image.reference}")
    assemble(image, ARTIFACTS.path(image.artifact) if image.artifact else None)


def make_artifact(source: Source) -> None:
    """The server that goes into an image, from the recipe that the embedded engine uses too."""
    for line in ARTIFACTS.make(source):
        say(line)


def assemble(image: Image, artifact: Path | None) -> None:
    """One `docker build`, with the artifact and this machine's certificates as contexts of their own."""
    with tempfile.TemporaryDirectory(prefix="machine-", dir=cache()) as name:
        machine = Path(name)
        if CERTIFICATES.exists():
            shutil.copy2(CERTIFICATES, machine / "ca-certificates.crt")
        command = docker("buildx", "build", "--load", "--progress", "plain", "--network", "host")
        command += ["--tag", image.reference, "--build-context", f"machine={machine}"]
        command += ["--label", f"{HASH_LABEL}={fingerprint(image)}"]
        if image.kind != "base":
            command += ["--label", f"{KIND_LABEL}={image.kind}"]
        if artifact is not None:
            command += ["--build-context", f"artifact={artifact}"]
        run([*command, image.folder], log=cache() / f"image-{image.name}.log")
