"""`down`: stop services or components, or remove everything but the volumes."""

from __future__ import annotations

from collections.abc import Iterable

from arcctl.engines.base import Observed
from arcctl.errors import EngineError, PreflightError
from arcctl.lifecycle import stopping
from arcctl.lifecycle.preflight import elsewhere
from arcctl.model.graph import containers
from arcctl.project import Project, project_lock_now, refuse_other_project


def down(words: tuple[str, ...], project: Project) -> tuple[str, ...]:
    """The containers that were stopped. Raises EngineError where one runs afterwards."""
    with project_lock_now(project):
        return _down(words, project)


def _down(words: tuple[str, ...], project: Project) -> tuple[str, ...]:
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    if not words:
        _refuse_elsewhere(observed, project)
        with stopping.noted(observed.containers, project):
            project.engine.down(project.note)
        refuse_still_running(project, observed.containers)
        forget(project)
        return tuple(sorted(observed.containers))
    named = containers(words, project.catalogue, components=True)
    keys = tuple(key for key in named if key in observed.containers)
    if keys:
        with stopping.noted(keys, project):
            project.engine.stop(keys)
        refuse_still_running(project, keys)
    project.directory.remember_started(project.directory.started() - set(named))
    return keys


def _refuse_elsewhere(observed: Observed, project: Project) -> None:
    """Raises PreflightError where nothing runs because another engine than the one that it runs on was asked."""
    if observed.containers or project.engine_named or not project.directory.engine():
        return
    text, back = elsewhere(project.engine.facts(), project)
    if text:
        raise PreflightError(text, hint=f"{back}; arcctl down")


def refuse_still_running(project: Project, stopped: Iterable[str]) -> None:
    """Raises EngineError where one of these runs although the engine said that it was stopped."""
    observed = project.engine.observe()
    left = [key for key in sorted(stopped) if observed.of(key).alive]
    if left:
        raise EngineError(f"still running: {', '.join(left)}", hint="arcctl ps, then arcctl down")


def forget(project: Project) -> None:
    """Nothing runs any more, so another engine may be asked for."""
    project.directory.remember_started(())
    project.directory.remember_engine("")
