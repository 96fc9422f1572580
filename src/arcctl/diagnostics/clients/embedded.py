"""Facts on local processes: their supervisor, their data, and those of other projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from arcctl.diagnostics.facts import EngineReport, VolumeFacts
from arcctl.engines import machine
from arcctl.engines.base import Engine
from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.embedded import location, processes
from arcctl.engines.embedded.supervisor import Supervisor
from arcctl.engines.volumes import declared
from arcctl.errors import ArcError, NotPermitted
from arcctl.model.data_version import data_version
from arcctl.model.disk import fullest
from arcctl.model.service import Catalogue, Volume
from arcctl.settings.directory import ProjectDirectory


def report(engine: Engine, directory: ProjectDirectory, catalogue: Catalogue) -> EngineReport:
    base = location.base(directory.root)
    supervisor = Supervisor(base)
    running = supervisor.processes() is not None
    outlived = () if running else tuple(supervisor.running().values()) or tuple(processes.working_below(base))
    silent = not running and bool(processes.supervisors(base))
    made = any((base / "run").glob("*/start"))
    others = location.gone(base)
    try:
        observed, facts, volumes, problem = engine.observe(), engine.facts(), engine.volumes(), None
        data = engine.disks(observed).values()
        facts = replace(facts, disk=fullest(disk for disk in (facts.disk, *data) if disk))
    except ArcError as error:
        facts, volumes, problem = None, (), (error.message, error.hint)
    return EngineReport(
        name=engine.name,
        problem=problem,
        facts=facts,
        volumes=tuple(_volumes(base / "data", declared(catalogue, engine), catalogue)),
        all_volumes=volumes,
        other_projects=tuple(f"{folder} has the data of {owner}, which is gone" for folder, owner in others.items()),
        about_other_projects=_about(others),
        unfinished=tuple(str(path) for path in sorted((base / "data").glob("*.new"))),
        supervisor="running" if running else "silent" if silent else "gone" if made or outlived else "stopped",
        outlived=outlived,
        socket=str(base / location.SOCKET),
        socket_limit=machine.SOCKET_PATH,
        unavailable=engine.unavailable,
        docker_refused=_docker_refused(catalogue, directory),
    )


def _about(others: Mapping[Path, str]) -> str:
    """It may be the only copy, so nothing here removes it."""
    folder = next(iter(others), None)
    if folder is None:
        return ""
    again = f"to use it in a project that was renamed or has no data: echo {folder.name} > DIRECTORY/{location.ID}"
    return f"it may be the only copy; {again}; to see it: ls -la {folder}/data"


def _docker_refused(catalogue: Catalogue, directory: ProjectDirectory) -> tuple[str, str] | None:
    refused = DockerEngine(catalogue, (), directory.compose_env).refusal()
    return (refused.message, refused.hint) if isinstance(refused, NotPermitted) else None


def _has_text(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _volumes(data: Path, declared: Mapping[str, tuple[str, Volume]], catalogue: Catalogue) -> Iterator[VolumeFacts]:
    """Those that exist and whose server writes its version."""
    for name, (key, volume) in declared.items():
        folder, file = data / name, volume.data_version_file
        if not file or not folder.is_dir():
            continue
        component, version = catalogue.components()[key], folder / file.version_file
        yield VolumeFacts(
            name=name,
            service=key,
            missing=tuple(f for f in file.files if not _has_text(folder / f)) if any(folder.iterdir()) else (),
            version=version.read_text(errors="replace").strip() if version.is_file() else "",
            wanted=data_version(component, component.container.pinned or component.container.image),
        )
