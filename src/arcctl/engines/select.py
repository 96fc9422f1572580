"""Chooses the engine of a project: the one that it runs on, else the one asked for, else the one that it ran on last.

A project that ran on none gets Docker where it answers.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from arcctl.engines.base import Engine
from arcctl.engines.docker import endpoint
from arcctl.engines.docker import engine as docker_adapter
from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.embedded import translation
from arcctl.errors import FileDamaged, NotPermitted, UsageError
from arcctl.events import Event, Kind, Sink
from arcctl.model.names import LOOPBACK, PROJECT
from arcctl.model.service import Catalogue, Layer
from arcctl.render import compose
from arcctl.settings import environment
from arcctl.settings.directory import ProjectDirectory

AUTO = "auto"
DOCKER, EMBEDDED = DockerEngine.name, "embedded"
NAMES = (DOCKER, EMBEDDED)
OVERRIDES = docker_adapter.OVERRIDES


def choose(
    wanted: str,
    present: str,
    used: str,
    directory: ProjectDirectory,
    catalogue: Catalogue,
    sink: Sink,
    bind_address: str = LOOPBACK,
    project: str = PROJECT,
) -> tuple[Catalogue, Engine]:
    """The engine, and the catalogue of what can run on it.

    `present` is the engine that runs the project now, `used` the one that it ran on last and that has its data, if any.

    Raises UsageError for an unknown engine, and for another engine than the one that the project runs on.
    """
    if wanted not in (AUTO, *NAMES):
        raise UsageError(f"unknown engine {wanted!r}", hint=f"one of {AUTO}, {', '.join(NAMES)}")
    if present and wanted not in (AUTO, present):
        raise UsageError(
            f"this project is running on the {present} engine", hint=f"arcctl down, then arcctl --engine {wanted} up"
        )
    docker = docker_engine(catalogue, directory, bind_address, project)
    chosen = present or (wanted if wanted != AUTO else _remembered(used, sink) or _automatic(docker, sink))
    if used not in ("", chosen):
        text = f"the data of this project is in the {used} engine; the {chosen} engine does not see it"
        sink(Event(Kind.WARNING, "", text))
    return (catalogue, docker) if chosen == DOCKER else embedded(catalogue, directory)


def docker_engine(
    catalogue: Catalogue, directory: ProjectDirectory, bind_address: str = LOOPBACK, project: str = PROJECT
) -> DockerEngine:
    """The engine that `docker` talks to, with ports published on an address of its machine."""
    found = endpoint.find(environment.snapshot())
    overlays = [directory.compose_file(compose.FILES[layer]) for layer in Layer if catalogue.layer(layer)]
    remote = directory.compose_file(compose.REMOTE)
    overlays += [remote] if found.remote and remote.is_file() else []
    host = found.reached_at(bind_address)
    return DockerEngine(catalogue, overlays, directory.compose_env, project, endpoint=found, host=host)


def present(directory: ProjectDirectory) -> str:
    """The engine that runs a project now; empty while none does."""
    return _known(directory.engine(), directory.state / "engine")


def _known(name: str, file: Path) -> str:
    """To take another engine would be to leave what runs, and data, to themselves."""
    if name in ("", *NAMES):
        return name
    write = f"echo {{}} >{shlex.quote(str(file))}"
    hint = f"write the one that ran it last: {write.format(DOCKER)}, or: {write.format(EMBEDDED)}"
    raise FileDamaged(f"{file}, line 1: {name[:40]!r} is no engine", hint=hint)


def used(directory: ProjectDirectory) -> str:
    """The engine that ran a project last and has its data; empty where none has, or where that is not known."""
    names = [_known(name, directory.state / "used-engines") for name in directory.used_engines()]
    if found := next(reversed(names), ""):
        return found
    if not directory.bootstrapped():
        return ""
    from arcctl.engines.embedded import location

    if (location.base(directory.root) / "data").is_dir():  # an earlier arcctl did not note the engine
        return EMBEDDED
    return "" if directory.notes_engines() or location.candidates(directory.root) else DOCKER


def _remembered(used: str, sink: Sink) -> str:
    if used:
        other = next(name for name in NAMES if name != used)
        text = f"engine: {used}, which has the data of this project; to start without that: arcctl --engine {other} up"
        sink(Event(Kind.NOTE, "", text))
    return used


def _automatic(docker: DockerEngine, sink: Sink) -> str:
    if docker.endpoint.remote or docker.endpoint.refused:  # who names another machine does not mean this one
        return DOCKER
    refused = docker.refusal()
    chosen, why = (EMBEDDED, "does not answer") if refused else (DOCKER, "answers")
    if isinstance(refused, NotPermitted):
        why = "may not be used by this user"
        sink(Event(Kind.WARNING, "", f"{refused.message} To get in: {refused.hint}"))
    sink(Event(Kind.NOTE, "", f"engine: {chosen}, because Docker {why}"))
    return chosen


def embedded(catalogue: Catalogue, directory: ProjectDirectory) -> tuple[Catalogue, Engine]:
    """The services as local processes, without the components that run in containers only."""
    from arcctl.engines.embedded.engine import EmbeddedEngine

    local = translation.local_catalogue(catalogue)
    return local, EmbeddedEngine(local, directory)
