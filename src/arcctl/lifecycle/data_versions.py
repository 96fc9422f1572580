"""Refuses a server whose version cannot read the data that is there, before it starts."""

from __future__ import annotations

from collections.abc import Collection

from arcctl.engines.base import Observed
from arcctl.model.data_version import SERVERS_NOTE, refuse_other_data
from arcctl.project import Project

NOTE = "data-versions"


def refuse(services: tuple[str, ...], project: Project, observed: Observed, volumes: Collection[str]) -> None:
    """Raises UpgradeError for a server that cannot read its data."""
    made = project.directory.note(NOTE) if volumes else {}
    for key, container in project.catalogue.components(services).items():
        refuse_other_data(key, container, observed.of(key).image or made.get(key, ""))


def remember(services: tuple[str, ...], project: Project) -> None:
    """Keep which images wrote the data, for when their containers are removed."""
    known = project.directory.note(NOTE)
    writes = {k: c.container.image for k, c in project.catalogue.components(services).items() if c.storage.data_version}
    if {**known, **writes} != known:
        project.directory.keep_note(NOTE, {**known, **writes})


def remember_servers(ready: tuple[str, ...], observed: Observed, project: Project) -> None:
    """Keep which local servers run on the data, for when a newer one cannot read it."""
    known = project.directory.note(SERVERS_NOTE)
    components = project.catalogue.components()
    runs = {key: v for key in ready if components[key].storage.data_version and (v := observed.of(key).version)}
    if {**known, **runs} != known:
        project.directory.keep_note(SERVERS_NOTE, {**known, **runs})


def forget(project: Project) -> None:
    for name in (NOTE, SERVERS_NOTE):
        if project.directory.note(name):
            project.directory.keep_note(name, {})
