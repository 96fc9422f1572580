"""Data that a server cannot read: told in the log of one that crashed, or lost by one that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from arcctl.checks.damage_report import Damage, damage, loss
from arcctl.engines.base import Observed
from arcctl.model.service import Volume
from arcctl.model.smoke_test import Step
from arcctl.project import Project

LINES = 30
"""How many lines of a log are read: those of the last start."""

STEPS = 3
"""Of a test of what is stored: log in, read, have what should be there. Where one before fails, nothing is known."""

NewestBackup = Callable[[str], str]
"""The name of the newest whole backup with the data of a service; empty where there is none."""


def no_backup(service: str) -> str:
    del service
    return ""


def damages(services: Iterable[str], project: Project, newest: NewestBackup) -> dict[str, Damage]:
    """For each of these services that crashed because of its data."""
    known = [i for i in services if i in project.catalogue.services]
    return {i: found for i in known if (found := _damage(i, project, newest))}


async def losses(
    services: Iterable[str], observed: Observed, project: Project, newest: NewestBackup, timeout: float
) -> dict[str, Damage]:
    """For each of these services that runs and has not all the data that it says it has."""
    envs, known = project.settings.envs, project.catalogue.services
    tests = {i: test for i in services if observed.of(i).running and (test := known[i].checks.stored(envs[i]))}
    run = project.smoke_test_runner.run
    finished = await asyncio.gather(*(run(i, test, observed.published, timeout) for i, test in tests.items()))
    lost = {i: steps[-1].message for i, steps in zip(tests, finished, strict=True) if _tells(steps)}
    return {i: loss(i, words, newest(i)) for i, words in lost.items()}


def _tells(steps: tuple[Step, ...]) -> bool:
    """Whether data is lost: the last step failed, after all steps that only ask."""
    return len(steps) == STEPS and not steps[-1].ok


def _damage(service_id: str, project: Project, newest: NewestBackup) -> Damage | None:
    service, engine = project.catalogue.services[service_id], project.engine
    if not service.storage.damaged:
        return None
    mounts = service.storage.mounts(project.settings.envs[service_id])
    volumes = [engine.volume_name(service_id, mount.name) for mount in mounts if isinstance(mount, Volume)]
    lines = engine.logs([service_id], follow=False, since="", tail=str(LINES))
    return damage(service, lines, newest(service_id), volumes)
