"""The data volumes that declarations name."""

from __future__ import annotations

from arcctl.engines.base import Engine
from arcctl.model.env import symbolic
from arcctl.model.service import Catalogue, Volume


def declared(catalogue: Catalogue, engine: Engine) -> dict[str, tuple[str, Volume]]:
    """Each declared volume by its name on this engine, with the key of the component that mounts it."""
    return {
        engine.volume_name(key, mount.name): (key, mount)
        for key, container in catalogue.components().items()
        for mount in container.storage.mounts(symbolic(container.env))
        if isinstance(mount, Volume)
    }
