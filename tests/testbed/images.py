"""Builds the stand-in images on our engine; an image is rebuilt only when its sources changed."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from arcctl.model.binaries import Source
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
    """A hash of all sources of an image."""
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
    """Whether the engine has this image, built from the current sources."""
    return label(image.reference, HASH_LABEL) == fingerprint(image)


def buildable(image: Image) -> bool:
    """Whether there is a Dockerfile for this image."""
    return (image.folder / "Dockerfile").is_file()


def ensure_raw() -> None:
    """Import a minimal Debian, which every image is based on."""
    if output(docker("image", "inspect", RAW)) is not None:
        return
    tar = cache() / "raw.tar"
    if not tar.exists():
        say("creating the base file system")
        draft = tar.with_name("raw.draft.tar")
        bootstrap(BASE_PACKAGES, draft)
        draft.rename(tar)
    run(docker("import", tar, RAW))


def ensure(image: Image) -> None:
    """Build an image unless it is up to date."""
    if is_ready(image):
        return
    if not buildable(image):
        raise TestbedError(f"{image.name}: no Dockerfile in {image.folder}")
    if image.artifact:
        build_artifact(image.artifact)
    if not image.parents:
        ensure_raw()
    say(f"building {image.reference}")
    assemble(image, ARTIFACTS.path(image.artifact) if image.artifact else None)


def build_artifact(source: Source) -> None:
    """Build the server of an image, in the same way as the embedded engine does."""
    for line in ARTIFACTS.build(source):
        say(line)


def assemble(image: Image, artifact: Path | None) -> None:
    """Run `docker build`; the artifact and the certificates of this machine are extra build contexts."""
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
