"""`images save`: writes images to one file, for a machine without network."""

from __future__ import annotations

from pathlib import Path

from arcctl.errors import UnhealthyError
from arcctl.images.list import describe
from arcctl.images.report import SaveReport
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.graph import image_users
from arcctl.project import Project


def save(words: tuple[str, ...], path: Path, project: Project) -> SaveReport:
    """Save all images of these services. Raises UnhealthyError for one that the engine does not have."""
    images = describe(image_users(words, project.catalogue), project)
    missing = [image for image in images if not image.present]
    if missing:
        built = all(image.built for image in missing)
        hint = f"arcctl up {missing[0].used_by[-1]}" if built else f"arcctl images pull {' '.join(words)}".rstrip()
        raise UnhealthyError(f"the engine does not have {', '.join(i.reference for i in missing)}", hint=hint)
    store = image_store(project)
    store.save(store.look(image.reference for image in images), path.absolute())
    return SaveReport(file=path, size=path.stat().st_size, images=images)
