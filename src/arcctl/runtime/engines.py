"""Which engine runs a home: the one that does already, the one that was asked for, else docker where it answers."""

from __future__ import annotations

from arcctl.core import compose, local
from arcctl.core.events import Event, Kind, Sink
from arcctl.core.model import Catalogue, Layer
from arcctl.core.ports import Engine
from arcctl.errors import UsageError
from arcctl.runtime.docker import DockerEngine
from arcctl.runtime.files import Home

AUTO = "auto"
NAMES = (DockerEngine.name, "embedded")


def choose(wanted: str, home: Home, catalogue: Catalogue, sink: Sink) -> tuple[Catalogue, Engine]:
    """The engine, and the catalogue as it runs there.

    Raises UsageError for an engine that does not exist, and for a second one beside the one that runs this home.
    """
    if wanted not in (AUTO, *NAMES):
        raise UsageError(f"unknown engine {wanted!r}", hint=f"one of {AUTO}, {', '.join(NAMES)}")
    present = home.engine()
    if present and wanted not in (AUTO, present):
        raise UsageError(
            f"this home runs on the {present} engine", hint=f"arcctl down, then arcctl --engine {wanted} up"
        )
    docker = DockerEngine(
        catalogue,
        [home.compose_file(compose.FILES[layer]) for layer in Layer if catalogue.layer(layer)],
        home.compose_env,
    )
    if wanted == AUTO and not present:
        wanted, why = _first_that_answers(docker)
        sink(Event(Kind.NOTE, "", f"engine: {wanted}, because {why}"))
    if (present or wanted) == docker.name:
        return catalogue, docker
    from arcctl.runtime.embedded import EmbeddedEngine

    small = local.localized(catalogue)
    return small, EmbeddedEngine(small, home)


def _first_that_answers(docker: DockerEngine) -> tuple[str, str]:
    if docker.answers():
        return docker.name, "a Docker engine answers"
    return NAMES[1], "no Docker engine answers"
