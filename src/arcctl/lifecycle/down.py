"""`down`: stop services or components, or remove everything but the volumes."""

from __future__ import annotations

from arcctl.model.graph import containers
from arcctl.project import Project, refuse_other_project


def down(words: tuple[str, ...], project: Project) -> tuple[str, ...]:
    """The containers that were stopped."""
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    if not words:
        project.engine.down()
        forget(project)
        return tuple(sorted(observed.containers))
    named = containers(words, project.catalogue, components=True)
    keys = tuple(key for key in named if key in observed.containers)
    if keys:
        project.engine.stop(keys)
    project.directory.remember_started(project.directory.started() - set(named))
    return keys


def forget(project: Project) -> None:
    """Nothing runs any more, so another engine may be asked for."""
    project.directory.remember_started(())
    project.directory.remember_engine("")
