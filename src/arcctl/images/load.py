"""`images load`: loads a file that `images save` wrote."""

from __future__ import annotations

from pathlib import Path

from arcctl.images.list import describe
from arcctl.images.report import ListedImage
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.graph import image_users
from arcctl.model.image import upstream
from arcctl.project import Project
from arcctl.settings import built_images
from arcctl.settings.image_registry import upstreams


def load(path: Path, project: Project) -> tuple[ListedImage, ...]:
    """Load the file; its images, compared with the lock. Raises ArchiveError for a damaged file, and loads nothing."""
    loaded, users = image_store(project).load(path.absolute()), image_users((), project.catalogue)
    references = [_named(reference, project) for reference in loaded]
    return describe({reference: users.get(reference, ()) for reference in references}, project)


def _named(reference: str, project: Project) -> str:
    """The name that this project has for the image: in that of the file may be another mirror, or another project."""
    names = upstreams(project.catalogue)
    if reference in names:
        return reference
    pulled = next((image for image, name in names.items() if upstream(reference, name) == name), "")
    if own := pulled or built_images.own(reference, project.catalogue):
        image_store(project).name(reference, own)
    return own or reference
