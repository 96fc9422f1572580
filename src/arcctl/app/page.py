"""`open`: a service's page for a browser."""

from __future__ import annotations

from arcctl.app.world import World, must_run, settings
from arcctl.core.graph import one
from arcctl.core.model import Link
from arcctl.errors import UsageError


def find(name: str, world: World) -> Link:
    """Raises UsageError for a service without a page and UnhealthyError for one that does not run."""
    service = one(name, world.catalogue)
    pages = [link for link in service.links(settings(world).envs[name]) if link.page]
    if not pages:
        raise UsageError(f"{name} has no page for a browser", hint=f"arcctl info {name}")
    must_run(name, world.engine.observe())
    return pages[0]
