"""The stand-in images: the official reference, the artifact and the parents of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from arcctl import services
from arcctl.engines.embedded.artifacts import Artifacts
from arcctl.model.binaries import Source
from arcctl.model.names import PROJECT
from arcctl.model.service import Component
from arcctl.settings.built_images import of_project
from tests.testbed.places import CHECKOUT, IMAGES

ARTIFACTS = Artifacts(CHECKOUT)

RAW = "arcctl-testbed/raw:forky"

Kind = Literal["base", "real", "stub"]


@dataclass(frozen=True)
class Image:
    """One image; `context` replaces its folder as the build context."""

    name: str
    reference: str
    kind: Kind = "real"
    artifact: Source | None = None
    parents: tuple[str, ...] = ("base",)
    context: Path | None = field(default=None)

    @property
    def folder(self) -> Path:
        """The build context."""
        return self.context or IMAGES / self.name


BASE_IMAGES = {
    "base": "arcctl-testbed/base:forky",
    "busybox": "arcctl-testbed/busybox:forky",
    "python": "python:3.13-slim",
}
"""Images that others are built from. They are built first, in this order."""


def _base_image(name: str) -> Image:
    kind: Kind = "real" if name == "python" else "base"
    return Image(name, BASE_IMAGES[name], kind=kind, parents=("base",) if name != "base" else ())


def _stand_in(key: str, component: Component[Any]) -> Image | None:
    """The image of a component; None where no folder has a Dockerfile for it."""
    build = component.container.build
    folder = CHECKOUT / build if build else IMAGES / key
    if not (folder / "Dockerfile").is_file():
        return None
    text = (folder / "Dockerfile").read_text()
    used = {"base", *(name for name, reference in BASE_IMAGES.items() if f"FROM {reference}" in text)}
    return Image(
        key,
        component.container.image,
        kind="stub" if "arcctl.standin=stub" in text else "real",
        artifact=component.process.sources[0] if component.process and "--from=artifact" in text else None,
        parents=tuple(name for name in BASE_IMAGES if name in used),
        context=folder if build else None,
    )


_STAND_INS = (_stand_in(key, component) for key, component in of_project(services.load(), PROJECT).components().items())
CATALOGUE: tuple[Image, ...] = (*map(_base_image, BASE_IMAGES), *(image for image in _STAND_INS if image))
"""Every image that can be built here."""

BY_NAME = {image.name: image for image in CATALOGUE}


def select(names: list[str]) -> list[Image]:
    """The images with these names or references, and their parents, parents first."""
    unknown = [name for name in names if not any(name in (image.name, image.reference) for image in CATALOGUE)]
    if unknown:
        raise SystemExit(f"no such image: {', '.join(unknown)}; there are: {', '.join(BY_NAME)}")
    chosen = [image for image in CATALOGUE if not names or image.name in names or image.reference in names]
    wanted = {image.name for image in chosen} | {parent for image in chosen for parent in image.parents}
    return [image for image in CATALOGUE if image.name in wanted]
