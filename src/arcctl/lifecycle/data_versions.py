"""Refuses a server whose version cannot read the data that is there, before it starts."""

from __future__ import annotations

from arcctl.engines.base import Observed
from arcctl.model.data_version import refuse_other_data
from arcctl.project import Project

NOTE = "data-versions"


def refuse(services: tuple[str, ...], project: Project, observed: Observed) -> None:
    """Raises UpgradeError for a server that cannot read its data."""
    made = project.directory.note(NOTE) if project.engine.volumes() else {}
    for key, container in project.catalogue.components(services).items():
        refuse_other_data(key, container, observed.of(key).image or made.get(key, ""))


def remember(services: tuple[str, ...], project: Project) -> None:
    """Keep which images wrote the data, for when their containers are removed."""
    known = project.directory.note(NOTE)
    writes = {k: c.container.image for k, c in project.catalogue.components(services).items() if c.storage.data_version}
    if {**known, **writes} != known:
        project.directory.keep_note(NOTE, {**known, **writes})


def forget(project: Project) -> None:
    if project.directory.note(NOTE):
        project.directory.keep_note(NOTE, {})
