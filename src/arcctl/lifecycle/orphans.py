"""`clean --orphans`: what engines still have of projects whose directory is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from arcctl.engines.base import EngineProject, Tell
from arcctl.engines.overview import Overview, look, remove
from arcctl.errors import PreflightError
from arcctl.lifecycle.projects import Joined, elsewhere, join
from arcctl.settings import known_projects
from arcctl.settings.known_projects import is_gone


@dataclass(frozen=True, kw_only=True)
class Orphan:
    name: str
    directory: str
    """Where it was."""
    id: str = ""
    """In the list of projects; empty where only an engine knows it."""
    parts: tuple[EngineProject, ...] = ()
    obstacle: str = ""
    """Why it cannot be deleted now; empty where it can."""


def orphans(name: str = "") -> tuple[Orphan, ...]:
    """All of them, or the one with this name. One whose directory exists is never among them."""
    entries = known_projects.known()
    overview = look(entry.directory for entry in entries)
    found = (found for found in join(entries, overview) if found.gone and _ours(found, overview))
    return tuple(_orphan(each, overview) for each in found if name in ("", each.name))


def _ours(found: Joined, overview: Overview) -> bool:
    """An engine that sees other folders than this program cannot say that a directory is gone."""
    return bool(found.entry) or all(overview.answers[part.engine].here for part in found.parts)


def _orphan(found: Joined, overview: Overview) -> Orphan:
    return Orphan(
        name=found.name,
        directory=found.directory,
        id=found.entry.id if found.entry else "",
        parts=found.parts,
        obstacle="; ".join(_obstacles(found, overview)),
    )


def _obstacles(found: Joined, overview: Overview) -> Iterator[str]:
    """The engines that may have something of it and were not asked, and what may not be its own."""
    for engine in found.engines:
        if reason := overview.unreachable.get(engine):
            yield reason
        elif way := elsewhere(engine, found.engines, overview):
            yield f"another {engine} engine than the one that answers has its data: {way}"
    for part in (part for part in found.parts if part.strangers):
        yield f"containers that arcctl did not create have its name too: {', '.join(part.strangers)}"


def delete(orphan: Orphan, tell: Tell) -> None:
    """Stop what runs of it, delete all that is listed, and forget the project.

    Raises PreflightError where it came back meanwhile, or an engine with data of it does not answer.
    """
    if orphan.obstacle:
        raise PreflightError(f"{orphan.name} is not deleted: {orphan.obstacle}", hint="arcctl projects")
    entry = known_projects.get(orphan.id)
    if not (entry.gone if entry else is_gone(orphan.directory)):
        raise PreflightError(f"{orphan.name} is not deleted: {orphan.directory} exists", hint="arcctl projects")
    for part in orphan.parts:
        remove(part, tell)
    if orphan.id:
        known_projects.forget(orphan.id)
