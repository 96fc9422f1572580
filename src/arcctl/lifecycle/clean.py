"""`clean`: delete containers, networks and data. Settings and secrets of the project stay."""

from __future__ import annotations

from arcctl.lifecycle import data_versions
from arcctl.lifecycle.down import forget
from arcctl.project import Project, refuse_other_project


def destroyable(project: Project) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The containers and volumes that `clean` deletes. Raises PreflightError where another project created them."""
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    return tuple(sorted(observed.containers)), project.engine.volumes()


def clean(project: Project) -> None:
    project.engine.down(volumes=True)
    project.directory.remember_bootstrapped(())
    data_versions.forget(project)
    forget(project)
    project.directory.forget_engine(project.engine.name)
