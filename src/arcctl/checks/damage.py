"""Data that a server cannot read: told in the log of one that crashed, or lost by one that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from arcctl.checks.cause_report import Explanation, loss
from arcctl.checks.causes import NewestBackup, causes
from arcctl.engines.base import Observed
from arcctl.model.smoke_test import Step
from arcctl.model.symptom import Cause
from arcctl.project import Project

STEPS = 3
"""Of a test of what is stored: log in, read, have what should be there. Where one before fails, nothing is known."""


def damages(services: Iterable[str], project: Project, newest: NewestBackup) -> dict[str, Explanation]:
    """For each of these services that crashed because of its data."""
    found = causes(services, project, newest)
    return {key: told for key, told in found.items() if told.cause in (Cause.DATA, Cause.VERSION)}


async def losses(
    services: Iterable[str], observed: Observed, project: Project, newest: NewestBackup, timeout: float
) -> dict[str, Explanation]:
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
