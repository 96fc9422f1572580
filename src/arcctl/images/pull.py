"""`images pull`: gets images from their registries. `up` builds the others."""

from __future__ import annotations

from arcctl.images.list import list_, pulled_images
from arcctl.images.report import ListedImage
from arcctl.lifecycle import pulling
from arcctl.project import Project


async def pull(words: tuple[str, ...], project: Project) -> tuple[ListedImage, ...]:
    again = f"arcctl images pull {' '.join(words)}".rstrip()
    await pulling.pull(pulled_images(words, project), project, again)
    return tuple(image for image in list_(words, project) if not image.built)
