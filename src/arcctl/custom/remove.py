"""`service remove`: what goes with a custom service, and what stays."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from arcctl.custom.declare import catalogue
from arcctl.custom.files import load, render
from arcctl.custom.report import Removal
from arcctl.errors import EngineError, UnhealthyError, UnknownService, UsageError
from arcctl.lifecycle.bootstrap import TIMEOUT
from arcctl.model.env import variables
from arcctl.model.service import Catalogue, Layer, Service, Volume
from arcctl.model.smoke_test import services_exercised
from arcctl.project import Project, project_lock, refuse_other_project
from arcctl.settings.location import custom_file


def _custom(name: str, catalogue: Catalogue) -> Service[Any]:
    """The custom service of that name.

    Raises UnknownService for an unknown name, and UsageError for a service of the platform.
    """
    if name not in catalogue.services:
        known = ", ".join(catalogue.layer(Layer.CUSTOM)) or "none"
        raise UnknownService(f"no service of your own is called {name!r}", hint=f"your own: {known}")
    if catalogue.services[name].layer is not Layer.CUSTOM:
        raise UsageError(f"{name} belongs to the platform and cannot be removed", hint=f"arcctl down {name}")
    return catalogue.services[name]


def plan(name: str, project: Project, *, data: bool) -> Removal:
    """What removing a service takes away.

    Raises UsageError where another service needs it, and UnhealthyError where a service with its data does not run.
    """
    service, loaded = _custom(name, project.catalogue), project.settings
    behind = [i for i, s in project.catalogue.services.items() if any(need.id == name for need in s.needs)]
    if behind:
        raise UsageError(f"{', '.join(behind)} depends on {name}", hint=f"arcctl service remove {behind[0]}")
    observed, volumes = project.engine.observe(), project.engine.volumes()
    refuse_other_project(observed, project)
    env = loaded.envs[name]
    named = {project.engine.volume_name(name, m.name) for m in service.storage.mounts(env) if isinstance(m, Volume)}
    resources = [r for r in service.setup.resources(env) if r.destroy]
    at = {i for r in resources for smoke_test in r.destroy for i in services_exercised(smoke_test, name)} - {name}
    away = [i for i in sorted(at) if not observed.of(i).running]
    if data and away and volumes:
        raise UnhealthyError(f"{away[0]} has data of {name} and does not run", hint=f"arcctl up {away[0]}")
    return Removal(
        name=name,
        containers=tuple(k for k in project.catalogue.components((name,)) if k in observed.containers),
        files=(PurePosixPath(custom_file(name)),),
        volumes=tuple(v for v in volumes if v in named),
        resources=() if away else tuple(r.name for r in resources),
        secrets=tuple(v.name for v in variables(service.env) if v.generate and v.name in project.directory.secrets()),
        kept=(PurePosixPath(service.container.build),) if service.container.build else (),
    )


async def remove(removal: Removal, project: Project, *, data: bool) -> None:
    """Stop it and remove its containers; with `data` also everything that it wrote.

    Raises UnhealthyError where a server keeps its data; then no file of the project is removed.
    """
    name, loaded, observed = removal.name, project.settings, project.engine.observe()
    service = project.catalogue.services[name]
    with await project_lock(project):
        project.engine.stop(removal.containers)
        if data and removal.resources:
            steps = [step for r in reversed(service.setup.resources(loaded.envs[name])) for step in r.destroy]
            problem, _ = await project.smoke_test_runner.attempt(name, tuple(steps), observed.published, {}, TIMEOUT)
            if problem:
                raise UnhealthyError(f"the data of {name} could not be destroyed: {problem}", hint="arcctl health all")
        volumes = removal.volumes if data else ()
        project.engine.remove(removal.containers, volumes)
        _refuse_left(removal.containers, volumes, project)
        project.directory.remember_started(project.directory.started() - {name})
        project.directory.remember_bootstrapped(project.directory.bootstrapped() - {name})
        if data:
            project.directory.forget_secrets(removal.secrets)


def remove_files(removal: Removal, project: Project) -> None:
    """Remove the service's file, and what was rendered from it."""
    directory, before = project.directory, load(project.directory.root)
    after = {name: service for name, service in before.items() if name != removal.name}
    render(directory, catalogue(before), catalogue(after), dict.fromkeys(removal.files, ""))


def _refuse_left(keys: tuple[str, ...], volumes: tuple[str, ...], project: Project) -> None:
    """Raises EngineError where something was not removed."""
    there = {*project.engine.observe().containers, *project.engine.volumes()}
    if left := [name for name in (*keys, *volumes) if name in there]:
        raise EngineError(f"not removed: {', '.join(left)}", hint="arcctl doctor")
