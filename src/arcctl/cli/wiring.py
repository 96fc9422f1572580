"""Builds the runtime objects and hands them to the use-cases. No other module of the command line may."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections import ChainMap
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from arcctl import services
from arcctl.app.world import World
from arcctl.cli.options import Globals
from arcctl.core import images
from arcctl.core.events import Event, Kind, Sink
from arcctl.core.model import Catalogue
from arcctl.core.ports import Registries, Servers, Shelf
from arcctl.errors import ArcError, HomeError
from arcctl.runtime import engines, environment, files
from arcctl.runtime.host import LoopbackPorts
from arcctl.runtime.probing import LoopbackProber
from arcctl.runtime.proving import LoopbackProver
from arcctl.runtime.shelf import FolderShelf

T = TypeVar("T")


def silent(event: Event) -> None:
    """A sink for commands that have nothing to tell on the way."""


def world(chosen: Globals, sink: Sink = silent) -> World:
    """Everything a use-case needs, for the home that was named or found."""
    home = files.Home(home_root(chosen))
    declared = services.load()
    variables = environment.snapshot()
    catalogue, engine = engines.choose(chosen.engine, home, chosen_images(declared, home, variables), sink)
    return World(
        catalogue=catalogue,
        environment=variables,
        home=home,
        engine=engine,
        prober=LoopbackProber(),
        prover=LoopbackProver(),
        ports=LoopbackPorts(),
        copier=engines.copier(engine, home, catalogue),
        shelf=FolderShelf(home, lambda text: sink(Event(Kind.WARNING, "", text))),
        sink=sink,
        images=engines.images(engine),
        insecure_demo=chosen.insecure_demo,
        telemetry=chosen.telemetry,
    )


def chosen_images(catalogue: Catalogue, home: files.Home, variables: Mapping[str, str]) -> Catalogue:
    """The catalogue with the tags that this home chose; files that cannot be read are refused where they are used."""
    try:
        sources = (variables, *(source.values for source in home.sources(catalogue.services)))
    except ArcError:
        return catalogue
    return images.chosen(catalogue, ChainMap(*map(dict, sources)))


def servers(chosen: Globals) -> tuple[Catalogue, Servers]:
    """Where the servers of local processes come from, for the home that was named or found."""
    from arcctl.runtime.supply import Supply

    catalogue = services.load()
    return catalogue, Supply(home_root(chosen), catalogue)


def registries() -> Registries:
    from arcctl.runtime.registry import HttpRegistries

    return HttpRegistries()


def home_root(chosen: Globals) -> Path:
    return files.find(_here(), chosen.home or environment.snapshot().get("ARCCTL_HOME", ""))


@contextlib.contextmanager
def beside(first: World) -> Iterator[World]:
    """A throw-away platform beside the one of `first`; gone at the end."""
    from arcctl.runtime import beside as making

    def tell(event: Event) -> None:
        first.sink(replace(event, subject=f"beside: {event.subject}".removesuffix(": ")))

    home = files.Home(first.home.root)
    with making.platform(home, first.engine.name, services.load()) as second:
        yield replace(
            first,
            catalogue=second.catalogue,
            environment={**first.environment, **second.ports},
            home=second.home,
            engine=second.engine,
            copier=engines.copier(second.engine, second.home, second.catalogue),
            shelf=FolderShelf(second.home, first.note),
            sink=tell,
        )


def shelf(chosen: Globals) -> Shelf:
    """The backups of the home that was named or found."""
    return FolderShelf(files.Home(home_root(chosen)), lambda text: None)


def new_home(chosen: Globals) -> None:
    """Lay out a home in the folder that was named, or here, unless there is one."""
    named = chosen.home or environment.snapshot().get("ARCCTL_HOME", "")
    try:
        files.find(_here(), named)
    except HomeError:
        target = Path(named).expanduser().resolve() if named else _here()
        with files.readable(target):
            files.copy_template(files.template(), target)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise HomeError("the current folder does not exist any more", hint="cd to a folder that does") from None


def read(root: Path, path: PurePosixPath) -> str:
    target = root / path
    return target.read_text() if target.is_file() else ""


def write(root: Path, texts: Mapping[PurePosixPath, str]) -> None:
    with files.readable(root):
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            files.write_whole(root / path, text)


def write_report(path: Path, text: str) -> None:
    """A file that the user named."""
    with files.readable(path):
        files.write_whole(path.resolve(), text)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def pass_through(command: tuple[str, ...]) -> int:
    """Run a program in the foreground with the user's terminal; its exit code."""
    program = shutil.which(command[0]) or command[0]
    return subprocess.run((program, *command[1:]), check=False).returncode
