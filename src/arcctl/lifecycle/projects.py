"""`projects`: every project of this machine, as its user's list and the engines know it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from arcctl.engines.base import EngineProject
from arcctl.engines.overview import Overview, look
from arcctl.errors import ArcError
from arcctl.settings import identity, known_projects
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.known_projects import KnownProject, is_gone


class ProjectState(StrEnum):
    RUNNING = "running"
    DOWN = "down"
    """Nothing of it runs, and there is data of it."""
    EMPTY = "empty"
    """An engine has nothing of it."""
    UNKNOWN = "unknown"
    """The engine with its data does not answer."""


@dataclass(frozen=True, kw_only=True)
class ListedProject:
    name: str
    directory: str
    """Empty where nobody knows it."""
    gone: bool
    """Whether there is no such directory any more."""
    engine: str
    """The one that ran it last; empty where none did."""
    state: ProjectState
    reason: str = ""
    """Why the state is unknown."""
    running: int = 0
    components: int = 0
    """Containers or processes that are to run for long, also those that do not run."""
    ports: tuple[int, ...] = ()
    """Of this machine, also while it is down; the lowest first."""
    memory_bytes: int = 0
    disk_bytes: int = 0
    last_used: str = ""
    """As an ISO 8601 time; empty where nobody noted it."""


@dataclass(frozen=True, kw_only=True)
class ProjectsReport:
    projects: tuple[ListedProject, ...]
    unreachable: Mapping[str, str] = field(default_factory=dict)
    """The engines that do not answer, with the reason."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A project, and what each engine has of it."""

    name: str
    directory: str
    entry: KnownProject | None
    parts: tuple[EngineProject, ...]
    engines: Mapping[str, str]
    """The engines that have data of it, and which of its kind each is, as its files say; the last ran it last."""

    @property
    def gone(self) -> bool:
        return self.entry.gone if self.entry else bool(self.directory) and is_gone(self.directory)


def projects() -> ProjectsReport:
    """Works without an engine, and outside of any project."""
    entries = known_projects.known()
    overview = look(entry.directory for entry in entries)
    return ProjectsReport(
        projects=tuple(_listed(found, overview) for found in join(entries, overview)),
        unreachable=overview.unreachable,
    )


def join(entries: Iterable[KnownProject], overview: Overview) -> tuple[Joined, ...]:
    """What is known of each project together, by name; those that only an engine knows come last."""
    left, known = list(overview.projects), list[Joined]()
    for entry in entries:
        engines = _engines(entry)
        parts = tuple(part for part in left if _is_of(part, entry, engines, overview))
        left = [part for part in left if part not in parts]
        known.append(Joined(name=entry.name, directory=entry.directory, entry=entry, parts=parts, engines=engines))
    return (*known, *_unlisted(left, {entry.name for entry in known}))


def _engines(entry: KnownProject) -> Mapping[str, str]:
    """What the directory says comes first: an earlier command may have told the list less."""
    if entry.replaced:
        return entry.engines
    with suppress(ArcError, OSError):
        return ProjectDirectory(Path(entry.directory)).used_engines() or entry.engines
    return entry.engines


def _is_of(part: EngineProject, entry: KnownProject, engines: Mapping[str, str], overview: Overview) -> bool:
    """Volumes say a name only: they are a project's where it noted this engine."""
    if part.directory and _same(part.directory, entry.directory):
        return part.name == entry.name or not (part.name or entry.replaced)
    if part.name != entry.name or part.engine not in engines or elsewhere(part.engine, engines, overview):
        return False
    return not part.directory or is_gone(part.directory)  # the project was moved, or is gone itself


def _same(one: str, other: str) -> bool:
    return one == other or str(Path(one).resolve()) == str(Path(other).resolve())


def elsewhere(engine: str, engines: Mapping[str, str], overview: Overview) -> str:
    """How to get to the engine that has the data, where another one of its kind answers; else empty."""
    known_id, _, way = engines.get(engine, "").partition(" ")
    answer = overview.answers.get(engine)
    return (way or "another engine") if answer and answer.id and known_id not in ("", answer.id) else ""


def _unlisted(parts: Iterable[EngineProject], taken: Iterable[str]) -> Iterator[Joined]:
    """Volumes alone do not say that they are a project of arcctl."""
    names = {*taken}
    for part in sorted(parts, key=lambda part: part.directory):
        if not (part.components or part.folder):
            continue
        name = identity.unique(part.name or _name(part.directory), names)
        names.add(name)
        yield Joined(name=name, directory=part.directory, entry=None, parts=(part,), engines={part.engine: ""})


def _name(directory: str) -> str:
    with suppress(ArcError, OSError):
        if found := ProjectDirectory(Path(directory)).note(identity.NOTE).get("name"):
            return str(found)
    return identity.normalized(Path(directory).name)


def _listed(found: Joined, overview: Overview) -> ListedProject:
    shown = max(found.parts, key=lambda part: part.running, default=None)
    last = next(reversed(list(found.engines)), "")
    engine = shown.engine if shown and (shown.running or not last) else last
    state, reason = _state(found, engine, overview)
    counted = shown if shown and shown.engine == engine else EngineProject(engine=engine)
    ports = {*counted.ports, *(found.entry.ports.values() if found.entry else ())}
    return ListedProject(
        name=found.name,
        directory=found.directory,
        gone=found.gone,
        engine=engine,
        state=state,
        reason=reason,
        running=counted.running,
        components=counted.components,
        ports=tuple(sorted(ports)),
        memory_bytes=sum(part.memory for part in found.parts),
        disk_bytes=sum(part.disk for part in found.parts),
        last_used=f"{datetime.fromtimestamp(found.entry.used, UTC):%Y-%m-%dT%H:%M:%SZ}" if found.entry else "",
    )


def _state(found: Joined, engine: str, overview: Overview) -> tuple[ProjectState, str]:
    if any(part.running for part in found.parts):
        return ProjectState.RUNNING, ""
    if engine in overview.unreachable:
        return ProjectState.UNKNOWN, overview.unreachable[engine]
    if way := elsewhere(engine, found.engines, overview):
        return ProjectState.UNKNOWN, f"another {engine} engine has its data: {way}"
    return (ProjectState.DOWN if found.parts else ProjectState.EMPTY), ""
