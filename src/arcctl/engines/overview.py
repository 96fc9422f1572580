"""What every engine of this machine has of which project: each is asked once, both at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from arcctl.engines import select
from arcctl.engines.base import EngineOverview, EngineProject, Tell, silent
from arcctl.engines.embedded import overview as embedded
from arcctl.errors import ArcError


@dataclass(frozen=True, kw_only=True)
class Overview:
    answers: dict[str, EngineOverview]
    """By the name of the engine."""
    unreachable: dict[str, str]
    """The engines that do not answer, with the reason."""

    @property
    def projects(self) -> tuple[EngineProject, ...]:
        return tuple(found for answer in self.answers.values() for found in answer.projects)


def look(directories: Iterable[str]) -> Overview:
    """Of all engines; local processes are found by the directories of their projects."""
    from arcctl.engines.docker import overview as docker

    with ThreadPoolExecutor(2) as pool:
        asked = {select.DOCKER: pool.submit(docker.look), select.EMBEDDED: pool.submit(embedded.look, [*directories])}
        answers: dict[str, EngineOverview] = {}
        unreachable: dict[str, str] = {}
        for name, answer in asked.items():
            try:
                answers[name] = answer.result()
            except ArcError as error:
                unreachable[name] = error.message
    return Overview(answers=answers, unreachable=unreachable)


def remove(project: EngineProject, tell: Tell = silent) -> None:
    """Stop and delete everything that an engine has of a project whose directory is gone. Raises EngineError."""
    if project.engine == select.EMBEDDED:
        embedded.remove(project, tell)
        return
    from arcctl.engines.docker import overview as docker

    docker.remove(project)
