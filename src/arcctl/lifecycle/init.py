"""`init`: generate the secrets that are missing, choose free ports, and write the file that Compose reads."""

from __future__ import annotations

from arcctl.errors import EngineError
from arcctl.lifecycle import ports
from arcctl.lifecycle.naming import named
from arcctl.lifecycle.report import InitReport
from arcctl.project import Project, ensure_secrets, set_damaged_aside


def init(project: Project, *, fixed_ports: bool = False) -> InitReport:
    """Works without an engine: then there is no old data that new secrets could lock out."""
    project = named(project)
    try:
        volumes = project.engine.volumes()
    except EngineError:
        volumes = ()
    set_damaged_aside(project)
    before = project.directory.secrets()
    project = ports.choose(ensure_secrets(project, volumes), project.catalogue.services if fixed_ports else None)
    generated = tuple(name for name in project.directory.secrets() if name not in before)
    return InitReport(directory=project.directory.root, generated=generated, ports=ports.chosen(project))
