"""`images list`: every image, where it comes from, whether the engine has it, and whether it is the locked one."""

from __future__ import annotations

from collections.abc import Mapping

from arcctl.engines.base import Observed
from arcctl.images.report import ListedImage
from arcctl.lifecycle.image_lock import image_store, locked
from arcctl.model.graph import built_images, image_users
from arcctl.model.image import Image, match, place
from arcctl.project import Project
from arcctl.settings.image_registry import upstreams


def list_(words: tuple[str, ...], project: Project) -> tuple[ListedImage, ...]:
    listed = describe(image_users(words, project.catalogue), project, project.engine.observe())
    return tuple(sorted(listed, key=lambda image: image.upstream))


def describe(
    users: Mapping[str, tuple[str, ...]], project: Project, observed: Observed | None = None
) -> tuple[ListedImage, ...]:
    """A report on each image; `users` maps its reference to the containers that use it."""
    images, lock = image_store(project).look(users), locked(project)
    built, names = built_images(project.catalogue), upstreams(project.catalogue)

    def listed(reference: str, keys: tuple[str, ...], image: Image | None) -> ListedImage:
        return ListedImage(
            reference=reference,
            upstream=names.get(reference, reference),
            registry=None if reference in built else place(reference)[0],
            present=image is not None,
            id=image.id if image else None,
            digest=image.digest if image else None,
            size=image.size if image else None,
            stub=image is not None and image.stub,
            used_by=keys,
            built=reference in built,
            state=match(image, lock.get(reference)),
            mismatches=_mismatches(reference, keys, image, observed) if observed else (),
        )

    return tuple(listed(reference, keys, images.get(reference)) for reference, keys in users.items())


def _mismatches(reference: str, keys: tuple[str, ...], image: Image | None, observed: Observed) -> tuple[str, ...]:
    found = []
    for key in keys:
        now = observed.of(key)
        if now.image and now.image != reference:
            found.append(f"{key} was created from {now.image}")
        elif now.image and image and now.image_id != image.id:
            found.append(f"{key} was created from an earlier image of this name")
    return tuple(found)


def pulled_images(words: tuple[str, ...], project: Project) -> tuple[str, ...]:
    """The images of these services (default: all) that come from registries, not from a local build."""
    built = built_images(project.catalogue)
    return tuple(reference for reference in image_users(words, project.catalogue) if reference not in built)
