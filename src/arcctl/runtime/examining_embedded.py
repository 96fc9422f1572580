"""What local processes left on this machine: their supervisor, their data, and those of other homes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arcctl.core.checkup.facts import EngineReport, VolumeFacts
from arcctl.core.model import Catalogue
from arcctl.core.ports import Engine
from arcctl.core.upgrade import data_version
from arcctl.core.volumes import declared
from arcctl.errors import ArcError
from arcctl.runtime import accounts, embedded, files
from arcctl.runtime.layout import OWNER
from arcctl.runtime.supervision import SOCKET_PATH_LIMIT, Supervisor


def report(engine: Engine, home: files.Home, catalogue: Catalogue) -> EngineReport:
    base = embedded.base(home.root)
    supervisor = Supervisor(base)
    running = supervisor.processes() is not None
    outlived = () if running else tuple(supervisor.outlived())
    made = any((base / "run").glob("*/made.json"))
    others = _gone(base)
    try:
        unavailable = engine.observe().unavailable
        facts, problem = engine.facts(), None
    except ArcError as error:
        unavailable, facts, problem = {}, None, (error.message, error.hint)
    return EngineReport(
        name=engine.name,
        problem=problem,
        facts=facts,
        volumes=tuple(_volumes(base / "data", catalogue)),
        all_volumes=engine.volumes(),
        foreign=tuple(f"{folder} of {owner}, which is gone" for folder, owner in others.items()),
        remove_foreign=f"sudo rm -r {next(iter(others), '')}" if others else "",
        unfinished=tuple(str(path) for path in sorted((base / "data").glob("*.new"))),
        supervisor="running" if running else "gone" if made or outlived else "stopped",
        outlived=outlived,
        socket=str(base / "s"),
        socket_limit=SOCKET_PATH_LIMIT,
        unavailable=unavailable,
    )


def _gone(base: Path) -> dict[Path, str]:
    """Folders of homes that do not exist any more, where root keeps those of all homes."""
    if accounts.unprivileged() is None or not base.parent.is_dir():
        return {}
    owners = {p: (p / OWNER).read_text().strip() for p in sorted(base.parent.iterdir()) if (p / OWNER).is_file()}
    return {folder: owner for folder, owner in owners.items() if not Path(owner).is_dir()}


def _volumes(data: Path, catalogue: Catalogue) -> Iterator[VolumeFacts]:
    """Those whose server leaves a stamp, and that exist."""
    for name, (key, volume) in declared(catalogue).items():
        folder, stamp = data / name, volume.stamp
        if stamp and folder.is_dir():
            missing = tuple(f for f in stamp.files if not (folder / f).is_file()) if any(folder.iterdir()) else ()
            file = folder / stamp.version_file
            version = file.read_text().strip() if file.is_file() else ""
            container = catalogue.containers()[key]
            wanted = data_version(container, container.pinned or container.image)
            yield VolumeFacts(name=name, service=key, missing=missing, version=version, wanted=wanted)
