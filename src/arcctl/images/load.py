"""`images load`: loads a file that `images save` wrote."""

from __future__ import annotations

from pathlib import Path

from arcctl.images.list import describe
from arcctl.images.report import ListedImage
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.graph import image_users
from arcctl.project import Project


def load(path: Path, project: Project) -> tuple[ListedImage, ...]:
    """Load the file; its images, compared with the lock. Raises ArchiveError for a damaged file, and loads nothing."""
    loaded, users = image_store(project).load(path.absolute()), image_users((), project.catalogue)
    return describe({reference: users.get(reference, ()) for reference in loaded}, project)
