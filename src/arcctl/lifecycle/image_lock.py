"""Compares images with images.lock.json: a difference is a warning, or an error."""

from __future__ import annotations

from arcctl.engines.base import Images
from arcctl.errors import PreflightError, UsageError
from arcctl.events import Event, Kind
from arcctl.model.graph import built_images, image_users
from arcctl.model.image import SAID, Locked, Match, changed, match
from arcctl.project import Project
from arcctl.settings import image_registry
from arcctl.settings.resolve import lookup, refuse_odd_registry


def verify_locked(services: tuple[str, ...], project: Project, *, strict: bool) -> None:
    """Warn where an image is not the one that is locked.

    Raises PreflightError with `strict`, also for images that are not pulled or not locked.
    """
    kept = locked(project) if strict or project.engine.image_store else {}
    if not strict and not kept:
        return
    wanted = [r for r in image_users(services, project.catalogue) if r not in built_images(project.catalogue)]
    images = image_store(project).look(wanted)
    states = {r: match(images.get(r), kept.get(r)) for r in wanted}
    odd = [f"{r} is {SAID[state]}" for r, state in states.items() if state is not Match.LOCKED]
    if strict and odd:
        raise PreflightError("; ".join(odd), hint="arcctl images list, then arcctl images pull or arcctl images lock")
    for reference in changed(images, kept):
        project.sink(Event(Kind.WARNING, "", f"{reference} is {SAID[Match.OTHER]} (arcctl images list)"))


def locked(project: Project) -> dict[str, Locked]:
    """What the lock records of the images of this project; it has their names without a registry mirror."""
    lock = project.directory.image_lock()
    return {image: lock[name] for image, name in image_registry.upstreams(project.catalogue).items() if name in lock}


def image_store(project: Project) -> Images:
    """Raises UsageError on an engine that runs no images, SettingsError for a wrong registry mirror."""
    store = project.engine.image_store
    if store is None:
        raise UsageError(
            f"the {project.engine.name} engine runs no images: its servers are programs from packages",
            hint="arcctl engine list",
        )
    refuse_odd_registry(lookup(project.catalogue, image_registry.NAME, project.sources))
    return store
