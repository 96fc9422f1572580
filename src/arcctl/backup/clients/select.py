"""The copier that fits an engine and a method."""

from __future__ import annotations

from arcctl.backup.base import Copiers, DataCopier
from arcctl.backup.clients.dumps import DatabaseCopier
from arcctl.backup.clients.volumes import DockerShell, LocalShell, Shell, VolumeCopier
from arcctl.engines.base import Engine
from arcctl.engines.docker.engine import EPHEMERAL, DockerEngine
from arcctl.errors import EngineError
from arcctl.model.backup_method import Dump, Method
from arcctl.model.service import Catalogue
from arcctl.settings.directory import ProjectDirectory


def copiers(engine: Engine, directory: ProjectDirectory, catalogue: Catalogue) -> Copiers:
    """What copies the data of this engine's servers."""
    if isinstance(engine, DockerEngine):
        shell: Shell = DockerShell(
            engine.project, lambda: _with_tar(engine, catalogue), f"{EPHEMERAL}={engine.project}"
        )
    else:
        from arcctl.engines.embedded.location import base

        shell = LocalShell(base(directory.root))

    def copier(key: str, method: Method) -> DataCopier:
        return DatabaseCopier(engine, key, method) if isinstance(method, Dump) else VolumeCopier(shell, key, method)

    return copier


def _with_tar(engine: Engine, catalogue: Catalogue) -> str:
    """A pulled image with the programs that copy a volume."""
    images = [c.container.image for c in catalogue.components().values() if c.container.has_tar]
    pulled = engine.images(images)
    found = next((image for image in images if image in pulled), "")
    if not found:
        raise EngineError(f"no image with tar was pulled yet: {', '.join(images)}", hint="arcctl images pull")
    return found
