"""`images lock`: records which image each reference means now."""

from __future__ import annotations

from arcctl.errors import UnhealthyError
from arcctl.images.list import pulled_images
from arcctl.images.report import LockReport
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.image import lock_of
from arcctl.project import Project


def lock(project: Project) -> LockReport:
    """Write the lock. An image that the engine does not have keeps its entry."""
    references = pulled_images((), project)
    images = image_store(project).look(references)
    if not images:
        raise UnhealthyError("no image is pulled, so there is nothing to lock", hint="arcctl images pull")
    before = {r: entry for r, entry in project.directory.image_lock().items() if r in references}
    locked = {**before, **lock_of(images)}
    project.directory.lock_images(locked)
    return LockReport(images=locked, missing=tuple(r for r in references if r not in images))
