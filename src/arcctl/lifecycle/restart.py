"""`restart`: restart services or single components, and wait until they are ready."""

from __future__ import annotations

from arcctl.lifecycle import stopping, up
from arcctl.lifecycle.input_hashes import refuse_unusable
from arcctl.lifecycle.report import RestartReport
from arcctl.model.graph import containers
from arcctl.project import Project, project_lock, refuse_other_project


async def restart(words: tuple[str, ...], project: Project) -> RestartReport:
    """Of what is named (nothing: all services) the containers that exist."""
    with await project_lock(project):
        return await _restart(words, project)


async def _restart(words: tuple[str, ...], project: Project) -> RestartReport:
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    keys = tuple(key for key in containers(words or ("all",), project.catalogue) if key in observed.containers)
    if not keys:
        return RestartReport(())
    refuse_unusable(project.catalogue.owners(keys), project)
    ended = project.engine.recover(project.note)
    with stopping.noted(keys, project):
        project.engine.restart(keys)
    services = project.catalogue.owners((*keys, *ended))
    return RestartReport(keys, await up.launch(up.Request(words=services), project))
