"""What containers are made from besides their configuration: mounted files, and the text of inline ones."""

from __future__ import annotations

import hashlib

from arcctl.app.world import World
from arcctl.core.model import Bind, Inline
from arcctl.core.settings import Settings


def digests(services: tuple[str, ...], world: World, loaded: Settings) -> dict[str, str]:
    """A hash for each container of these services; it changes when a file that it mounts does."""
    found: dict[str, str] = {}
    for service_id in services:
        for key, container in world.catalogue.containers((service_id,)).items():
            mounts = container.mounts(loaded.envs[service_id])
            texts = "".join(m.text for m in mounts if isinstance(m, Inline) and not m.first_run)
            files = world.home.digest(m.source for m in mounts if isinstance(m, Bind))
            found[key] = hashlib.sha256((texts + files).encode()).hexdigest()
    return found


def changed(now: dict[str, str], world: World) -> frozenset[str]:
    """The containers that were made from other files. One that arcctl did not make is left alone."""
    before = world.home.inputs()
    return frozenset(key for key, digest in now.items() if before.get(key, digest) != digest)
