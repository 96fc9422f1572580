"""`images pull`: gets images from their registries, one after the other. `up` builds the others."""

from __future__ import annotations

from arcctl.events import Event, Kind
from arcctl.images.list import list_, pulled_images
from arcctl.images.report import ListedImage
from arcctl.lifecycle.image_lock import image_store
from arcctl.project import Project


def pull(words: tuple[str, ...], project: Project) -> tuple[ListedImage, ...]:
    for reference in pulled_images(words, project):
        pull_image(reference, project)
    return tuple(image for image in list_(words, project) if not image.built)


def pull_image(reference: str, project: Project) -> None:
    store = image_store(project)
    project.sink(Event(Kind.WORKING, reference, "pulling"))
    for line in store.pull(reference):
        project.sink(Event(Kind.WAITING, reference, line))
    project.sink(Event(Kind.READY, reference, "pulled"))
