"""`clean`: delete containers, networks and data. Settings and secrets of the project stay."""

from __future__ import annotations

from arcctl.engines.volumes import declared
from arcctl.errors import EngineError
from arcctl.lifecycle import data_versions, stopping
from arcctl.lifecycle.down import forget, refuse_still_running
from arcctl.lifecycle.naming import noted
from arcctl.project import Project, project_lock_now, refuse_other_project


def destroyable(project: Project) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The containers and volumes that `clean` deletes. Raises PreflightError where another project created them."""
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    return tuple(sorted(observed.containers)), _own_volumes(project)


def _own_volumes(project: Project) -> tuple[str, ...]:
    """Without those in containers' engines that no service declares: somebody else's have the same label."""
    volumes = project.engine.volumes()
    known = declared(project.catalogue, project.engine)
    return tuple(name for name in volumes if name in known) if project.engine.image_store else volumes


def clean(project: Project) -> None:
    """Raises EngineError where something is left afterwards."""
    with project_lock_now(project):
        refuse_other_project(project.engine.observe(), project)
        _clean(project)


def _clean(project: Project) -> None:
    with stopping.noted(project.catalogue.components(), project):
        project.engine.down(project.note, volumes=True)
    refuse_still_running(project, project.catalogue.components())
    if left := _own_volumes(project):
        raise EngineError(f"not deleted: {', '.join(left)}", hint="arcctl doctor, then arcctl clean")
    project.directory.remember_bootstrapped(())
    data_versions.forget(project)
    forget(project)
    project.directory.forget_engine(project.engine.name)
    noted(project)
