"""A second platform next to the running one: another directory, other ports, on Docker another project name."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from arcctl.engines import select as engines
from arcctl.engines.base import Engine
from arcctl.engines.embedded import translation
from arcctl.errors import BackupError
from arcctl.model import names
from arcctl.model.env import variables
from arcctl.model.service import Catalogue, Layer
from arcctl.render import compose
from arcctl.settings import files, template
from arcctl.settings.built_images import as_they_are
from arcctl.settings.directory import ProjectDirectory


@dataclass(frozen=True)
class Sandbox:
    directory: ProjectDirectory
    catalogue: Catalogue
    engine: Engine
    ports: Mapping[str, str]
    """Settings that keep its ports apart from those of the first platform."""


@contextlib.contextmanager
def sandbox(root: Path, engine: str, catalogue: Catalogue, name: str, bind_address: str) -> Iterator[Sandbox]:
    """For the project in `root`, by another name. Removes what an interrupted one left, before and afterwards.

    Raises BackupError where something of this name is not from here.
    """
    place = _place(root)
    _remove(place, engine, catalogue, name)
    try:
        yield _create(place, root, engine, catalogue, name, bind_address)
    finally:
        _remove(place, engine, catalogue, name)


def _place(root: Path) -> Path:
    """In the user's cache: the paths of sockets below a project with a long path would be too long."""
    import platformdirs

    mark = hashlib.sha256(str(root).encode(errors=files.UNDECODED)).hexdigest()[:8]
    return platformdirs.user_cache_path("arcctl") / f"verify-{mark}"


def _create(place: Path, root: Path, engine: str, catalogue: Catalogue, name: str, bind_address: str) -> Sandbox:
    import yaml

    with files.readable(place):
        place.mkdir(mode=files.PRIVATE_FOLDER, parents=True)
        template.copy_template(root, place)
        for layer in _layers(catalogue):
            text = yaml.safe_dump(compose.overlay(layer, as_they_are(catalogue)), sort_keys=False)
            files.write_whole(place / "compose" / compose.FILES[layer], text)
    directory = ProjectDirectory(place)
    local, made = _engine(directory, engine, catalogue, name, bind_address)
    if found := (*made.others(), *made.volumes()):
        raise BackupError(f"the name of the sandbox, {name}, is in use: {', '.join(found)}", hint="arcctl projects")
    ports = [v.name for c in catalogue.components().values() for v in variables(c.env) if v.name.endswith("_PORT")]
    return Sandbox(directory, local, made, dict(zip(ports, map(str, _free_ports(len(ports))), strict=True)))


def _layers(catalogue: Catalogue) -> list[Layer]:
    return [layer for layer in Layer if catalogue.layer(layer)]


def _engine(
    directory: ProjectDirectory,
    kind: str,
    catalogue: Catalogue,
    name: str,
    bind_address: str = names.LOOPBACK,
) -> tuple[Catalogue, Engine]:
    if kind == engines.DOCKER:
        local = as_they_are(catalogue)
        return local, engines.docker_engine(local, directory, bind_address, name)
    return engines.embedded(translation.without_single_instances(catalogue), directory)


def _free_ports(count: int) -> list[int]:
    """Ports on which nothing listens now, held all at once so that they differ."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _remove(place: Path, engine: str, catalogue: Catalogue, name: str) -> None:
    if not place.is_dir():
        return
    directory = ProjectDirectory(place)
    if directory.compose_env.is_file():  # else nothing was ever started
        _, made = _engine(directory, engine, catalogue, name)
        made.down(volumes=True)
    shutil.rmtree(place)
