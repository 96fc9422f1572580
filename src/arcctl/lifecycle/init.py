"""`init`: generate the secrets that are missing, and write the file that Compose reads."""

from __future__ import annotations

from arcctl.errors import EngineError
from arcctl.lifecycle.naming import named
from arcctl.lifecycle.report import InitReport
from arcctl.project import Project, ensure_secrets, set_damaged_aside


def init(project: Project) -> InitReport:
    """Works without an engine: then there is no old data that new secrets could lock out."""
    project = named(project)
    try:
        volumes = project.engine.volumes()
    except EngineError:
        volumes = ()
    set_damaged_aside(project)
    before = project.directory.secrets()
    ensure_secrets(project, volumes)
    generated = tuple(name for name in project.directory.secrets() if name not in before)
    return InitReport(directory=project.directory.root, generated=generated)
