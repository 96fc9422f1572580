"""Hashes of what containers are created from besides their configuration: mounted files and inline config files."""

from __future__ import annotations

import hashlib

from arcctl.model.service import BindMount, ConfigFile
from arcctl.project import Project


def input_hashes(services: tuple[str, ...], project: Project) -> dict[str, str]:
    """A hash for each container of these services; it changes when a file that it mounts does.

    Raises FileDamaged as `refuse_unusable` does.
    """
    refuse_unusable(services, project)
    found: dict[str, str] = {}
    for service_id in services:
        for key, container in project.catalogue.components((service_id,)).items():
            mounts = container.storage.mounts(project.settings.envs[service_id])
            texts = "".join(m.text for m in mounts if isinstance(m, ConfigFile) and not m.first_run)
            files = project.directory.digest(m.source for m in mounts if isinstance(m, BindMount))
            found[key] = hashlib.sha256((texts + files).encode()).hexdigest()
    return found


def refuse_unusable(services: tuple[str, ...], project: Project) -> None:
    """Raises FileDamaged where a file that these services read is missing, empty, or a folder."""
    if found := project.directory.unusable(project.catalogue.config_paths(services)):
        raise found[0]


def changed(now: dict[str, str], project: Project) -> frozenset[str]:
    """The containers that were created from other files; those that arcctl did not create are not among them."""
    before = project.directory.input_hashes()
    return frozenset(key for key, digest in now.items() if before.get(key, digest) != digest)
