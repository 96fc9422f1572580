"""The data volumes that declarations name."""

from __future__ import annotations

from arcctl.core.env import symbolic
from arcctl.core.local import volume_name
from arcctl.core.model import Catalogue, Volume


def declared(catalogue: Catalogue) -> dict[str, tuple[str, Volume]]:
    """Each volume by its name without the project's, with the container that it is of."""
    return {
        volume_name(key, mount.name): (key, mount)
        for key, container in catalogue.containers().items()
        for mount in container.mounts(symbolic(container.env))
        if isinstance(mount, Volume)
    }
