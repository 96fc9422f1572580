"""Builds the runtime objects and hands them to the use-cases. No other module of the command line may."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from arcctl import services
from arcctl.app import render as rendering
from arcctl.app.world import World
from arcctl.cli.interrupts import run as run
from arcctl.cli.options import Globals
from arcctl.core import images
from arcctl.core.backup_ports import Shelf
from arcctl.core.connect import Prompt
from arcctl.core.events import Event, Kind, Sink
from arcctl.core.model import Catalogue
from arcctl.core.names import own_file
from arcctl.core.own import read as read_own
from arcctl.core.ports import Examiner, Registries, Servers, Session
from arcctl.core.redaction import Redactor
from arcctl.errors import ArcError, HomeError, SettingsError, UsageError
from arcctl.runtime import artifacts, engines, environment, files, own, place, private_folder
from arcctl.runtime.contents import LoopbackContents
from arcctl.runtime.host import LoopbackPorts
from arcctl.runtime.probing import LoopbackProber
from arcctl.runtime.proving import LoopbackProver
from arcctl.runtime.shelf import FolderShelf
from arcctl.ui import terminal
from arcctl.ui.files import dump

if TYPE_CHECKING:
    from arcctl.services._scaffold import Scaffold


def silent(event: Event) -> None:
    """A sink for commands that have nothing to tell on the way."""


def world(chosen: Globals, sink: Sink = silent, *, mending: bool = False) -> World:
    """Everything a use-case needs, for the home that was named or found.

    Says that a rotation of secrets was interrupted, which may be why something fails, unless the command ends that.
    """
    home = files.Home(home_root(chosen))
    if home.rotation() and not mending:
        terminal.say("a change of secrets was interrupted; this finishes it: arcctl secrets rotate", style="yellow")
    variables = environment.snapshot()
    declared = chosen_images(services.load(own.load(home.root)), home, variables)
    catalogue, engine = engines.choose(chosen.engine, home, declared, sink)
    return World(
        catalogue=catalogue,
        environment=variables,
        home=home,
        engine=engine,
        prober=LoopbackProber(),
        prover=LoopbackProver(),
        contents=LoopbackContents(),
        ports=LoopbackPorts(),
        copier=engines.copier(engine, home, catalogue),
        shelf=FolderShelf(home, lambda text: sink(Event(Kind.WARNING, "", text))),
        sink=sink,
        images=engines.images(engine),
        insecure_demo=chosen.insecure_demo,
        telemetry=chosen.telemetry,
    )


def examiner(of: World) -> Examiner:
    """Who looks at the machine for `doctor`."""
    from arcctl.runtime.examining import LocalExaminer

    return LocalExaminer(files.Home(of.home.root), of.catalogue, of.engine)


def evidence(of: World) -> Iterator[tuple[str, Callable[[], str]]]:
    """What the engine and this machine say of themselves, as files of a support bundle."""
    from arcctl.runtime.evidence import parts

    return parts(of.engine, files.Home(of.home.root))


def redactor(of: World) -> Redactor:
    """Takes every secret of the home out of texts."""
    from arcctl.runtime.evidence import secret_values

    return Redactor(secret_values(files.Home(of.home.root), of.catalogue, of.environment))


def write_archive(path: Path, texts: Mapping[str, str]) -> None:
    from arcctl.runtime import bundle

    bundle.write(path.resolve(), "arcctl-support", texts)


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

    declared = catalogue(chosen)
    return declared, Supply(home_root(chosen), declared)


def catalogue(chosen: Globals) -> Catalogue:
    """The built-in services and the home's own."""
    return services.load(own.load(home_root(chosen)))


def render(root: Path, before: Catalogue, after: Catalogue) -> None:
    """Bring the rendered files of a home along from one catalogue to another."""
    write(root, rendering.difference(rendering.run(before, dump), rendering.run(after, dump)))


def refresh(chosen: Globals) -> None:
    """The files that are rendered of a user's own services, as these are now: their files are written by hand."""
    root = home_root(chosen)
    if place.own_names(root):
        render(root, services.load(), catalogue(chosen))


def with_own(chosen: Globals, name: str, document: Mapping[str, object]) -> Catalogue:
    """The catalogue as it would be with one more of the user's own.

    Raises UsageError with the field that does not fit.
    """
    try:
        return services.load(own.load(home_root(chosen)) | {name: read_own(name, document)})
    except SettingsError as error:
        message = error.message.removeprefix(f"{own_file(name)}: ")
        raise UsageError(f"{name}: {message}", hint="arcctl service add --help") from None


def scaffold(chosen: Globals, name: str, *, database: bool) -> Scaffold:
    """The first code of a service in this home; files that are there already are left out."""
    from arcctl.services._scaffold import make

    shipped, root = files.template(), home_root(chosen)
    made = make(
        name,
        database=database,
        sample=lambda path: (shipped / path).read_text(),
        template=lambda file: artifacts.packaged(f"templates/service/{file}"),
    )
    return replace(made, files={path: text for path, text in made.files.items() if not (root / path).exists()})


def registries() -> Registries:
    from arcctl.runtime.registry import HttpRegistries

    return HttpRegistries()


def home_root(chosen: Globals) -> Path:
    return place.find(_here(), chosen.home or environment.snapshot().get("ARCCTL_HOME", ""))


@contextlib.contextmanager
def beside(first: World) -> Iterator[World]:
    """A throw-away platform beside the one of `first`; gone at the end."""
    from arcctl.runtime import beside as making

    def tell(event: Event) -> None:
        first.sink(replace(event, subject=f"beside: {event.subject}".removesuffix(": ")))

    home = files.Home(first.home.root)
    tags = {s.name: images.split(s.current)[1] for s in images.tag_settings(first.catalogue).values()}
    with making.platform(home, first.engine.name, first.catalogue) as second:
        yield replace(
            first,
            catalogue=second.catalogue,
            environment={**first.environment, **tags, **second.ports},
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
    """Lay out a home in the folder that was named, or here; one that is there gets the files that it lacks."""
    named = chosen.home or environment.snapshot().get("ARCCTL_HOME", "")
    try:
        target = place.find(_here(), named)
    except HomeError:
        target = Path(named).expanduser().resolve() if named else _here()
    if target != files.template():
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
    """Files of the home; one without a text goes."""
    with files.readable(root):
        for path, text in texts.items():
            if text:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                files.write_whole(root / path, text)
            else:
                _remove(root, root / path)


def _remove(root: Path, path: Path) -> None:
    """A file, and the folders that are empty without it."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root or not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()


def write_report(path: Path, text: str) -> None:
    """A file that the user named."""
    with files.readable(path):
        files.write_whole(path.resolve(), text)


def append_report(path: Path, text: str) -> None:
    """Put text behind what is in a file that the user named."""
    with files.readable(path), path.open("a") as stream:
        stream.write(text)


def write_secret(folder: Path, texts: Mapping[str, str]) -> tuple[str, ...]:
    return private_folder.fill(folder, texts)


def input_lines() -> AsyncIterator[bytes]:
    """What comes in on standard input, line by line."""
    from arcctl.runtime import lines

    return lines.of_input()


def pass_through(command: tuple[str, ...]) -> int:
    """Run a program in the foreground with the user's terminal; its exit code."""
    program = shutil.which(command[0]) or command[0]
    return subprocess.run((program, *command[1:]), check=False).returncode


def session(prompt: Prompt, port: int, tell: Callable[[str], None]) -> Session:
    """A prompt of our own, logged in."""
    from arcctl.runtime import sessions

    return sessions.begin(prompt, port, tell)


def browse(address: str) -> bool:
    """Show a page in the user's browser; False where there is none, or nobody to see it."""
    import webbrowser

    return sys.stdout.isatty() and webbrowser.open(address)


def become(words: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """End this command as another program."""
    from arcctl.runtime import foreground

    foreground.become(words, environment)
