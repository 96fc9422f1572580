"""A throw-away platform beside a running one: another home, other ports, on Docker another project; gone afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from arcctl.core import compose, local
from arcctl.core.env import variables
from arcctl.core.model import Catalogue, Layer
from arcctl.core.ports import Engine
from arcctl.runtime import engines, files
from arcctl.runtime.docker import DockerEngine
from arcctl.runtime.shelf import OWN_KEY

PROJECT = f"{compose.PROJECT}_verify"
SHIFT = 16_000
"""What is added to the ports that no setting names; the highest stays below those that systems give to clients."""


@dataclass(frozen=True)
class Second:
    """What the second platform is made of."""

    home: files.Home
    catalogue: Catalogue
    engine: Engine
    ports: Mapping[str, str]
    """Settings that keep it out of the first one's way."""


@contextlib.contextmanager
def platform(home: files.Home, engine: str, catalogue: Catalogue) -> Iterator[Second]:
    """Removes what an interrupted one of this home left, before and afterwards."""
    root = _place(home.root)
    _remove(root, engine, catalogue)
    try:
        yield _made(root, home, engine, catalogue)
    finally:
        _remove(root, engine, catalogue)


def _place(home: Path) -> Path:
    """In the user's cache, because sockets below a home of a long name could have none."""
    import platformdirs

    mark = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    return platformdirs.user_cache_path("arcctl") / f"verify-{mark}"


def _made(root: Path, home: files.Home, engine: str, catalogue: Catalogue) -> Second:
    with files.readable(root):
        root.mkdir(mode=files.PRIVATE_FOLDER, parents=True)
        files.copy_template(home.root, root)
        for layer in _layers(catalogue):
            _render(root, layer, catalogue)
    second = files.Home(root)
    own_key = home.state / OWN_KEY
    if own_key.is_file():
        second.write_private(second.state / OWN_KEY, own_key.read_text())
    chosen, made = _engine(second, engine, catalogue)
    names = [v.name for c in catalogue.containers().values() for v in variables(c.env) if v.name.endswith("_PORT")]
    return Second(second, chosen, made, dict(zip(names, map(str, _free_ports(len(names))), strict=True)))


def _layers(catalogue: Catalogue) -> list[Layer]:
    return [layer for layer in Layer if catalogue.layer(layer)]


def _render(root: Path, layer: Layer, catalogue: Catalogue) -> None:
    import yaml

    text = yaml.safe_dump(compose.overlay(layer, catalogue, PROJECT), sort_keys=False)
    files.write_whole(root / "compose" / compose.FILES[layer], text)


def _engine(home: files.Home, name: str, catalogue: Catalogue) -> tuple[Catalogue, Engine]:
    if name == DockerEngine.name:
        overlays = [home.compose_file(compose.FILES[layer]) for layer in _layers(catalogue)]
        return catalogue, DockerEngine(catalogue, overlays, home.compose_env, PROJECT)
    return engines.embedded(local.moved(catalogue, SHIFT), home)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all at once, so that they differ."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _remove(root: Path, engine: str, catalogue: Catalogue) -> None:
    if not root.is_dir():
        return
    home = files.Home(root)
    if home.compose_env.is_file():  # else nothing was ever started
        _, made = _engine(home, engine, catalogue)
        made.down(volumes=True)
    shutil.rmtree(root)
