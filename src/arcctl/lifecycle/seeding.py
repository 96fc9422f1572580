"""What is noted while a project gets the data of another one, so that nothing starts on a part of it."""

from __future__ import annotations

from arcctl.errors import PreflightError
from arcctl.project import Project

NOTE = "seeding"
_FROM = "from"


def begin(source: str, project: Project) -> None:
    project.directory.keep_note(NOTE, {_FROM: source})


def end(project: Project) -> None:
    project.directory.keep_note(NOTE, {})


def source(project: Project) -> str:
    """The name of the project whose data a command did not copy to its end; empty where none was cut off."""
    return str(project.directory.note(NOTE).get(_FROM, ""))


def refuse(project: Project) -> None:
    """Raises PreflightError where the project has a part of another one's data."""
    name = source(project)
    if not name:
        return
    if volumes := project.engine.volumes():
        raise PreflightError(
            f"the data of {name} was not copied to its end: {', '.join(volumes)}",
            hint=f"arcctl up --seed-from {name}, which begins again; to start without data: arcctl clean",
        )
    end(project)  # they were deleted since
