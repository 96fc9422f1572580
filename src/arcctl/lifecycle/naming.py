"""Gives a project its name and its entry in the list of projects: before anything of it is created."""

from __future__ import annotations

from dataclasses import replace

from arcctl.engines.base import Engine
from arcctl.errors import EngineError
from arcctl.events import Event, Kind
from arcctl.project import Project
from arcctl.settings import built_images, known_projects
from arcctl.settings import identity as identities
from arcctl.settings.identity import Identity


def named(project: Project) -> Project:
    """The project with the name that it keeps. Works without an engine.

    Raises PreflightError where a name that a person wants is in use.
    """
    if project.identity.id:
        noted(project)
        return project
    with known_projects.choosing():
        chosen, engine = free(project.identity, project.engine)
        kept = identities.with_id(chosen)
        project.directory.give_name(kept.name)
        if not kept.taken_over:
            project.directory.begin_notes()
        _replace_earlier(project, kept)
        if not identities.remember(kept, project.directory):
            text = (
                f"{known_projects.folder()} cannot be written: other projects do not see the name and ports of this one"
            )
            project.sink(Event(Kind.WARNING, "", text))
    catalogue = built_images.of_project(project.catalogue, kept.name)
    return replace(project, identity=kept, engine=engine.named(kept.name), catalogue=catalogue)


def _replace_earlier(project: Project, kept: Identity) -> None:
    """What an earlier project at this place left is for `clean --orphans`."""
    for entry in identities.earlier(project.directory, kept.id):
        if not entry.replaced:
            project.directory.take_no_data()
            known_projects.note_replaced(entry)
            text = f"the project {entry.name} was here before; to delete what it left: arcctl clean --orphans"
            project.sink(Event(Kind.WARNING, "", text))


def noted(project: Project) -> None:
    """Tell the list of projects which engines have data of this one now."""
    if project.identity.id:
        identities.remember(project.identity, project.directory)


def free(identity: Identity, engine: Engine) -> tuple[Identity, Engine]:
    """A name that neither another project nor something on the engine has, and the engine for it."""
    if identity.id or identity.taken_over:
        return identity, engine
    found = identities.free(identity, _names_in_use(engine))
    return found, engine.named(found.name)


def _names_in_use(engine: Engine) -> frozenset[str]:
    try:
        return engine.project_names()
    except EngineError:
        return frozenset()
