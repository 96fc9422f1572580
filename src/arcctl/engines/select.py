"""Chooses the engine of a project: the one that it runs on, else the one asked for, else Docker where it answers."""

from __future__ import annotations

from arcctl.engines.base import Engine
from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.embedded import translation
from arcctl.errors import UsageError
from arcctl.events import Event, Kind, Sink
from arcctl.model.service import Catalogue, Layer
from arcctl.render import compose
from arcctl.settings.directory import ProjectDirectory

AUTO = "auto"
NAMES = (DockerEngine.name, "embedded")


def choose(
    wanted: str, present: str, directory: ProjectDirectory, catalogue: Catalogue, sink: Sink
) -> tuple[Catalogue, Engine]:
    """The engine, and the catalogue of what can run on it; `present` is the engine that runs the project now, if any.

    Raises UsageError for an unknown engine, and for another engine than the one that the project runs on.
    """
    if wanted not in (AUTO, *NAMES):
        raise UsageError(f"unknown engine {wanted!r}", hint=f"one of {AUTO}, {', '.join(NAMES)}")
    if present and wanted not in (AUTO, present):
        raise UsageError(
            f"this project is running on the {present} engine", hint=f"arcctl down, then arcctl --engine {wanted} up"
        )
    overlays = [directory.compose_file(compose.FILES[layer]) for layer in Layer if catalogue.layer(layer)]
    docker = DockerEngine(catalogue, overlays, directory.compose_env)
    chosen = present or wanted
    if chosen == AUTO:
        answers = docker.answers()
        chosen, verb = (docker.name, "answers") if answers else (NAMES[1], "does not answer")
        sink(Event(Kind.NOTE, "", f"engine: {chosen}, because Docker {verb}"))
    return (catalogue, docker) if chosen == docker.name else embedded(catalogue, directory)


def embedded(catalogue: Catalogue, directory: ProjectDirectory) -> tuple[Catalogue, Engine]:
    """The services as local processes, without the components that run in containers only."""
    from arcctl.engines.embedded.engine import EmbeddedEngine

    local = translation.local_catalogue(catalogue)
    return local, EmbeddedEngine(local, directory)
