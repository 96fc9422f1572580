"""Facts on local processes: their supervisor, their data, and those of other projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from arcctl.diagnostics.facts import EngineReport, VolumeFacts
from arcctl.engines.base import Engine
from arcctl.engines.embedded import accounts
from arcctl.engines.embedded import engine as embedded
from arcctl.engines.embedded.layout import owner
from arcctl.engines.embedded.supervisor import SOCKET_PATH_LIMIT, Supervisor
from arcctl.engines.volumes import declared
from arcctl.errors import ArcError
from arcctl.model.data_version import data_version
from arcctl.model.disk import fullest
from arcctl.model.service import Catalogue, Volume
from arcctl.settings import directory as files


def report(engine: Engine, directory: files.ProjectDirectory, catalogue: Catalogue) -> EngineReport:
    base = embedded.base(directory.root)
    supervisor = Supervisor(base)
    running = supervisor.processes() is not None
    outlived = () if running else tuple(supervisor.outlived())
    made = any((base / "run").glob("*/start"))
    others = _gone(base)
    try:
        observed, facts, problem = engine.observe(), engine.facts(), None
        data = engine.disks(observed).values()
        facts = replace(facts, disk=fullest(disk for disk in (facts.disk, *data) if disk))
    except ArcError as error:
        facts, problem = None, (error.message, error.hint)
    return EngineReport(
        name=engine.name,
        problem=problem,
        facts=facts,
        volumes=tuple(_volumes(base / "data", declared(catalogue, engine), catalogue)),
        all_volumes=engine.volumes(),
        other_projects=tuple(f"{folder} of {owner}, which is gone" for folder, owner in others.items()),
        remove_other_project=f"sudo rm -r {next(iter(others))}" if others else "",
        unfinished=tuple(str(path) for path in sorted((base / "data").glob("*.new"))),
        supervisor="running" if running else "gone" if made or outlived else "stopped",
        outlived=outlived,
        socket=str(base / "s"),
        socket_limit=SOCKET_PATH_LIMIT,
        unavailable=engine.unavailable,
    )


def _gone(base: Path) -> dict[Path, str]:
    """Folders of projects that do not exist any more; root keeps the data of all projects in one place."""
    if accounts.unprivileged() is None or not base.parent.is_dir():
        return {}
    owners = {p: found for p in sorted(base.parent.iterdir()) if (found := owner(p))}
    return {folder: found for folder, found in owners.items() if not Path(found).is_dir()}


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
            version=version.read_text().strip() if version.is_file() else "",
            wanted=data_version(component, component.container.pinned or component.container.image),
        )
