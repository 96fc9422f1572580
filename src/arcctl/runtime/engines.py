"""Which engine runs a home: the one that does already, the one that was asked for, else docker where it answers."""

from __future__ import annotations

from arcctl.core import compose, local
from arcctl.core.backup_ports import Copier
from arcctl.core.events import Event, Kind, Sink
from arcctl.core.model import Catalogue, Layer
from arcctl.core.ports import Engine, Images
from arcctl.errors import EngineError, UsageError
from arcctl.runtime.copying import ServerCopier
from arcctl.runtime.docker import GUEST, DockerEngine
from arcctl.runtime.files import Home
from arcctl.runtime.images import DockerImages
from arcctl.runtime.volumes import DockerShell, LocalShell, Shell

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
    return embedded(catalogue, home)


def embedded(catalogue: Catalogue, home: Home) -> tuple[Catalogue, Engine]:
    """The services as local processes, without the helpers that exist for containers only."""
    from arcctl.runtime.embedded import EmbeddedEngine

    small = local.localized(catalogue)
    return small, EmbeddedEngine(small, home)


def copier(engine: Engine, home: Home, catalogue: Catalogue) -> Copier:
    """What takes data out of this engine's servers."""
    if isinstance(engine, DockerEngine):
        shell: Shell = DockerShell(engine.project, lambda: _with_tar(engine, catalogue), f"{GUEST}=backup")
    else:
        from arcctl.runtime.embedded import base

        shell = LocalShell(base(home.root))
    return ServerCopier(engine, shell)


def _with_tar(engine: Engine, catalogue: Catalogue) -> str:
    """An image that is there and has what volumes are copied with."""
    images = [c.image for c in catalogue.containers().values() if c.has_tar]
    there = engine.images(images)
    found = next((image for image in images if image in there), "")
    if not found:
        raise EngineError(f"none of these images is here: {', '.join(images)}", hint="arcctl up")
    return found


def images(engine: Engine) -> Images | None:
    """The images that an engine holds; None where it runs none."""
    return DockerImages(engine) if isinstance(engine, DockerEngine) else None


def _first_that_answers(docker: DockerEngine) -> tuple[str, str]:
    if docker.answers():
        return docker.name, "a Docker engine answers"
    return NAMES[1], "no Docker engine answers"
