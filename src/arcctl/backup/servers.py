"""What backups ask about the servers of a project: which have data, what each one is, whether they answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any

from arcctl.backup import plan
from arcctl.engines.base import Engine, Observed
from arcctl.model.env import symbolic
from arcctl.model.service import Catalogue, Service, Volume
from arcctl.project import Project, targets
from arcctl.settings.image_registry import declared_name

ATTEMPT = 2.0
"""Seconds that one probe may take."""
PAUSE = 0.2
PATIENCE = 180.0
"""Seconds in which a service has to answer again; the slowest takes one on a busy machine."""


def server_of(service: str, observed: Observed, catalogue: Catalogue) -> str:
    """A server is the same one from whatever registry its image comes."""
    now = observed.of(service)
    return plan.server(declared_name(now.image, catalogue.services[service]), now.version, stub=now.stub)


def has_data(declared: Service[Any], volumes: Collection[str], engine: Engine) -> bool:
    """Whether one of the engine's volumes is the service's."""
    mounts = declared.storage.mounts(symbolic(declared.env))
    return any(engine.volume_name(declared.id, m.name) in volumes for m in mounts if isinstance(m, Volume))


async def not_answering(services: tuple[str, ...], project: Project) -> dict[str, str]:
    """Those that do not answer their probe in time, with the last reason."""
    end = time.monotonic() + PATIENCE
    while True:
        observed = await asyncio.to_thread(project.engine.observe)
        answers = await project.prober.ask(targets(project, observed, services), ATTEMPT)
        bad = {}
        for service in services:
            answer, now = answers.get(service), observed.of(service)
            if not (answer.ok if answer else now.health == "healthy"):
                bad[service] = answer.reason if answer and now.running else str(now)
        crashed = any(observed.of(i).state == "dead" for i in bad)
        if not bad or crashed or time.monotonic() > end:
            return bad
        await asyncio.sleep(PAUSE)
