"""What runs and is stored of which project as local processes."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from arcctl.engines.base import EngineOverview, EngineProject, Tell, silent
from arcctl.engines.embedded import accounts, location, processes, usage
from arcctl.engines.embedded.supervisor import Supervisor
from arcctl.errors import ArcError, EngineError
from arcctl.settings.files import readable
from arcctl.settings.known_projects import is_gone
from arcctl.settings.location import STATE
from arcctl.settings.text import read_text

NAME = "embedded"
_INIT = re.compile(r"^\[program:(\S+)\]\ncommand=.*\nautostart=false\nautorestart=false$", re.MULTILINE)


def look(directories: Iterable[str]) -> EngineOverview:
    """Of these project directories, and of all others with files where root keeps them."""
    found = (_project(folder, directory) for folder, directory in sorted(_folders(directories)))
    return EngineOverview(engine=NAME, projects=tuple(filter(None, found)))


def _folders(directories: Iterable[str]) -> Iterator[tuple[Path, str]]:
    mine: set[Path] = set()
    for directory in directories:
        folder = _base(Path(directory))
        if folder and folder not in mine:
            mine.add(folder)
            yield folder, directory
    others = location.ROOT.iterdir() if accounts.unprivileged() and location.ROOT.is_dir() else ()
    yield from ((folder, owner) for folder in others if folder not in mine and (owner := location.owner(folder)))


def _base(directory: Path) -> Path | None:
    """None where that is not known: of a directory that is gone, root's folders say themselves."""
    if is_gone(str(directory)):
        return None if accounts.unprivileged() else directory / STATE / "embedded"
    with contextlib.suppress(ArcError, OSError):
        return location.base(directory)
    return None


def _project(folder: Path, directory: str) -> EngineProject | None:
    """None where nothing of it is there."""
    with contextlib.suppress(OSError):
        pids = _running(folder)
        data = folder / "data"
        stores = tuple(sorted(path.name for path in data.iterdir())) if data.is_dir() else ()
        servers = {path.name for path in folder.glob("run/*")} - _init(folder)
        if not (pids or stores or servers):
            return None
        return EngineProject(
            engine=NAME,
            directory=directory,
            folder=str(folder),
            running=len(servers & {*pids}) or (0 if servers else len(pids)),
            components=len(servers) or len(pids),
            stores=stores,
            memory=sum(usage.memory(usage.family(pid)) for pid in pids.values()),
            disk=usage.of_folders((data,)),
        )
    return None


def _running(folder: Path) -> dict[str, int]:
    """By component; by what it is, where the files of a project are gone and its processes still work there."""
    if folder.is_dir():
        return Supervisor(folder).running()
    return {f"{name} {pid}": pid for pid, name in processes.working_below(folder).items()}


def _init(folder: Path) -> set[str]:
    """The processes that run to their end once, as the supervisor was told."""
    return {*_INIT.findall(read_text(folder / "supervisor.conf", ""))}


def remove(project: EngineProject, tell: Tell = silent) -> None:
    """Stop what runs of it, then remove its folder. Raises EngineError where something runs all the same."""
    folder = Path(project.folder)
    if not folder.is_absolute() or not is_gone(project.directory):
        raise EngineError(f"{folder} is in use by the project in {project.directory}")
    Supervisor(folder).shutdown(tell)
    with readable(folder):
        if folder.is_dir():
            shutil.rmtree(folder)
