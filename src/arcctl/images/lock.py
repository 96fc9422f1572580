"""`images lock`: records which image each reference means now."""

from __future__ import annotations

from arcctl.errors import UnhealthyError
from arcctl.images.list import pulled_images
from arcctl.images.report import LockReport
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.image import lock_of
from arcctl.project import Project
from arcctl.settings.image_registry import upstreams


def lock(project: Project) -> LockReport:
    """Write the lock. An image that the engine does not have keeps its entry."""
    names = upstreams(project.catalogue)
    references = pulled_images((), project)
    images = image_store(project).look(references)
    if not images:
        raise UnhealthyError("no image is pulled, so there is nothing to lock", hint="arcctl images pull")
    recorded = project.directory.image_lock()
    before = {name: recorded[name] for name in map(names.__getitem__, references) if name in recorded}
    new = {**before, **lock_of({names[r]: image for r, image in images.items()})}
    project.directory.lock_images(new)
    return LockReport(images=new, missing=tuple(r for r in references if r not in images))
