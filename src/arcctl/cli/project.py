"""Builds what a command hands to a use-case: the project, and what works on it."""

from __future__ import annotations

import contextlib
import shlex
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from arcctl.checks.clients.prober import LoopbackProber
from arcctl.checks.clients.smoke_test_runner import LoopbackSmokeTestRunner
from arcctl.cli.globals import Globals
from arcctl.custom import declare, files
from arcctl.engines import select as engines
from arcctl.engines.base import Engine, Servers
from arcctl.engines.host_ports import EnginePorts
from arcctl.errors import ArcError, ProjectError, SettingsError
from arcctl.events import Event, Kind, Sink
from arcctl.lifecycle import naming
from arcctl.model.image import split
from arcctl.model.names import LOOPBACK, PROJECT_NAME
from arcctl.model.service import Catalogue
from arcctl.project import Project
from arcctl.settings import (
    bind_address,
    built_images,
    environment,
    identity,
    image_registry,
    image_tags,
    known_projects,
    location,
)
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.files import readable
from arcctl.settings.identity import find_root
from arcctl.settings.ownership import refuse_other_user
from arcctl.settings.resolve import lookup, owners
from arcctl.settings.template import copy_template, template
from arcctl.terminal import address
from arcctl.terminal import console as terminal

if TYPE_CHECKING:
    from arcctl.backup.base import BackupTools
    from arcctl.backup.clients.repository import BackupRepository
    from arcctl.checks.causes import NewestBackup
    from arcctl.data.base import DataClients
    from arcctl.diagnostics.facts import Collector

T = TypeVar("T")


def ignore(event: Event) -> None:
    """A sink for commands that show no progress."""


def load_project(
    options: Globals,
    sink: Sink = ignore,
    *,
    rotating: bool = False,
    new_identity: bool = False,
    problems: list[ArcError] | None = None,
) -> Project:
    """The project that was named or found.

    Warns of an interrupted rotation of secrets, which may be why something fails, unless the command is `rotating`.
    With `new_identity`, a copy of another project becomes one of its own.
    Where `problems` is given, files that cannot be read are added to it, and their contents are left out.
    """
    directory = project_directory(options)
    if problems is not None:
        problems.extend(directory.problems())
    if _read(directory.rotation, problems) and not rotating:
        text = "warning: a rotation of secrets was interrupted; to finish it: arcctl secrets rotate"
        terminal.say(text, style="yellow")
    variables = dict(environment.snapshot())
    if options.bind_address:
        variables[bind_address.NAME] = options.bind_address
    custom = _read(lambda: files.load(directory.root), problems) or {}
    declared = declare.catalogue(custom)
    values = _unchecked(declared, directory, variables)
    declared = _with_chosen_images(declared, values)
    if new_identity:
        who = identity.renewed(directory, options.project_name, lambda text: sink(Event(Kind.WARNING, "", text)))
    else:
        who = identity.of(directory, options.project_name)
        identity.seen(who, directory)
    environment.remove((*engines.OVERRIDES, bind_address.NAME, PROJECT_NAME))
    environment.remove(name for service in declared.services.values() for name in service.network.overrides)
    published_at = values.get(bind_address.NAME, LOOPBACK)
    declared = built_images.of_project(declared, who.name)
    catalogue, engine = _engine(options, directory, declared, sink, problems, who.name, published_at)
    who, engine = naming.free(who, engine)
    catalogue = built_images.of_project(catalogue, who.name)
    return Project(
        identity=who,
        catalogue=catalogue,
        environment=variables,
        directory=directory,
        engine=engine,
        prober=LoopbackProber(),
        smoke_test_runner=LoopbackSmokeTestRunner(engine.host),
        ports=EnginePorts(engine, published_at),
        sink=sink,
        insecure_demo=options.insecure_demo,
        engine_named=options.engine_typed and options.engine != engines.AUTO,
    )


def other_project(options: Globals, name: str, sink: Sink) -> Project:
    """Another project of this machine, on the engine that has its data. Raises ProjectError where there is none."""
    entry = known_projects.find(name)
    other = replace(options, directory=entry.directory, project_name=name, engine=engines.AUTO, engine_typed=False)
    return replace(load_project(other, rotating=True), sink=sink)


def _engine(
    options: Globals,
    directory: ProjectDirectory,
    declared: Catalogue,
    sink: Sink,
    problems: list[ArcError] | None,
    name: str,
    published_at: str,
) -> tuple[Catalogue, Engine]:
    present = _read(partial(engines.present, directory), problems) or ""
    used = _read(partial(engines.used, directory), problems) or ""
    choose = partial(
        engines.choose, directory=directory, catalogue=declared, sink=sink, bind_address=published_at, project=name
    )
    return _read(lambda: choose(options.engine, present, used), problems) or choose(engines.DOCKER, "", "")


def _read(read: Callable[[], T], problems: list[ArcError] | None) -> T | None:
    """What is read; where problems are collected, None in the place of what cannot be read."""
    try:
        return read()
    except (ProjectError, SettingsError) as error:
        if problems is None:
            raise
        if error.message not in {known.message for known in problems}:
            problems.append(error)
        return None


def _unchecked(catalogue: Catalogue, directory: ProjectDirectory, variables: Mapping[str, str]) -> Mapping[str, str]:
    """The values that decide what the project is made of. Files that cannot be read are refused where they are used."""
    try:
        return ChainMap(*map(dict, (variables, *(s.values for s in directory.sources(owners(catalogue))))))
    except ArcError:
        return {}


def _with_chosen_images(catalogue: Catalogue, values: Mapping[str, str]) -> Catalogue:
    """The catalogue with the image tags and the registry mirror of this project."""
    return image_registry.from_mirror(image_tags.chosen(catalogue, values), values.get(image_registry.NAME, ""))


def load_catalogue(options: Globals) -> Catalogue:
    """The built-in and the custom services of the project."""
    return files.load_catalogue(project_directory(options).root)


def project_directory(options: Globals) -> ProjectDirectory:
    """The project directory that was named or found; files of an earlier arcctl get the names of today."""
    root = find_root(_current_folder(), _named(options), options.project_name)
    refuse_other_user(root)
    directory = ProjectDirectory(root)
    directory.migrate()
    address.use(_option(options, root))
    return directory


def _option(options: Globals, root: Path) -> str:
    """What a next command needs to get to the same project; empty where it finds that without."""
    variables = environment.snapshot()
    directory, name = (variables.get(f"ARCCTL_PROJECT_{word}", "") for word in ("DIRECTORY", "NAME"))
    with contextlib.suppress(ArcError):
        if find_root(_current_folder(), directory, name) == root:
            return ""
    by_directory = f"--project-directory {shlex.quote(str(root))}"
    return by_directory if _named(options) or not options.project_name else f"-p {options.project_name}"


def new_project(options: Globals) -> Globals:
    """Write the files of a project to the folder that was named, or here; a project gets the files that it lacks.

    Returns the options that lead to that folder, whatever another project of the wanted name has.
    """
    named = _named(options)
    try:
        target = location.find(_current_folder(), named)
    except ProjectError:
        target = Path(named).expanduser().resolve() if named else _current_folder()
    refuse_other_user(target)
    if target != template():
        with readable(target):
            copy_template(template(), target)
    return replace(options, directory=str(target))


def _named(options: Globals) -> str:
    return options.directory or environment.snapshot().get("ARCCTL_PROJECT_DIRECTORY", "")


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ProjectError("the current folder does not exist any more", hint="cd to a folder that does") from None


def data_clients() -> DataClients:
    from arcctl.data.clients.open import LoopbackDataClients

    return LoopbackDataClients()


def backup_repository(options: Globals) -> BackupRepository:
    return _repository(project_directory(options))


def _repository(directory: ProjectDirectory, warn: Callable[[str], None] = lambda text: None) -> BackupRepository:
    from arcctl.backup.clients.repository import BackupRepository

    return BackupRepository(directory, warn)


def backup_tools(project: Project) -> BackupTools:
    from arcctl.backup.base import BackupTools
    from arcctl.backup.clients.select import copiers

    repository = _repository(project.directory, lambda text: project.sink(Event(Kind.WARNING, "", text)))
    return BackupTools(copiers(project.engine, project.directory, project.catalogue), repository)


def newest_backup(project: Project) -> NewestBackup:
    """Finds the newest backup that has the data of a service."""
    return lambda service: _repository(project.directory).newest(service, project.engine.name)


@contextlib.contextmanager
def sandbox(first: Project, tools: BackupTools) -> Iterator[tuple[Project, BackupTools]]:
    """A second platform next to the one of `first`, with the same backups; removed at the end."""
    from arcctl.backup.clients.sandbox import sandbox as open_sandbox
    from arcctl.backup.clients.select import copiers

    def tell(event: Event) -> None:
        first.sink(replace(event, subject=f"sandbox: {event.subject}".removesuffix(": ")))

    images = {s.name: split(s.current)[1] for s in image_tags.tag_settings(first.catalogue).values()}
    images[image_registry.NAME] = lookup(first.catalogue, image_registry.NAME, first.sources).text or ""
    name = f"{first.name}_verify"
    published_at = lookup(first.catalogue, bind_address.NAME, first.sources).text or LOOPBACK
    images[bind_address.NAME] = published_at
    with open_sandbox(first.directory.root, first.engine.name, first.catalogue, name, published_at) as second:
        project = replace(
            first,
            identity=replace(first.identity, name=name, unlisted=True),
            catalogue=second.catalogue,
            environment={**first.environment, **images, **second.ports},
            directory=second.directory,
            engine=second.engine,
            sink=tell,
        )
        yield project, replace(tools, copiers=copiers(second.engine, second.directory, second.catalogue))


def local_collector(project: Project, problems: Iterable[ArcError] = ()) -> Collector:
    """Collects the facts for `doctor`; `problems` are those of files that could not be read."""
    from arcctl.diagnostics.clients.collector import LocalCollector

    return LocalCollector(project.directory, project.catalogue, project.engine, tuple(problems))


def local_servers(options: Globals) -> tuple[Catalogue, Servers]:
    """The catalogue, and what builds the servers of its local processes."""
    from arcctl.engines.embedded.resolver import BinaryResolver

    directory = project_directory(options)
    catalogue = files.load_catalogue(directory.root)
    return catalogue, BinaryResolver(directory.root, catalogue)
