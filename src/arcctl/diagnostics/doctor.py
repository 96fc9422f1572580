"""`doctor`: what often goes wrong, each with its evidence and its fix; `--fix` does what is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from arcctl.checks.cause_report import Explanation
from arcctl.checks.causes import NewestBackup, causes, no_backup
from arcctl.checks.health import crashed
from arcctl.diagnostics import rules
from arcctl.diagnostics.diagnosis import Report
from arcctl.diagnostics.facts import Collector, EngineReport, Facts, ProjectFacts, Removable, SocketMount, Taken
from arcctl.errors import ArcError, SecretsLost
from arcctl.lifecycle import preflight
from arcctl.model.disk import Disk, Space, fullest
from arcctl.model.env import symbolic
from arcctl.model.graph import closure, resolve
from arcctl.model.host_ports import PRIVILEGED, gateway_port, route_names
from arcctl.model.names import LOCAL_NAMES, NO_PROXY, PROXIES
from arcctl.model.probe import Finding
from arcctl.model.service import Component, HostPath
from arcctl.project import Project, targets
from arcctl.settings.resolve import Settings, near_misses

PROBE_SECONDS = 3.0


def diagnose(project: Project, collector: Collector, newest: NewestBackup = no_backup) -> Report:
    """Changes nothing."""
    return Report(engine=project.engine.name, diagnoses=rules.judge(gather(project, collector, newest)))


def fix(project: Project, collector: Collector, newest: NewestBackup = no_backup) -> Report:
    """Do all that is safe, then diagnose again."""
    repairs = [repair for diagnosis in diagnose(project, collector).diagnoses for repair in diagnosis.repairs]
    repaired = tuple(filter(None, map(collector.repair, repairs)))
    return replace(diagnose(project, collector, newest), repaired=repaired)


def gather(project: Project, collector: Collector, newest: NewestBackup) -> Facts:
    """Every fact, collected once."""
    engine = collector.engine()
    directory, loaded = _directory(project, collector.directory())
    containers = project.catalogue.components().values()
    findings, why = _seen(project, engine, loaded, newest)
    near = project.engine.host in LOCAL_NAMES  # the names of the gateway are those of this machine
    return Facts(
        host=collector.host(),
        directory=directory,
        engine=engine,
        proxies=_proxies(project.environment),
        taken=_taken(project, engine, loaded),
        unresolved=collector.unresolved(route_names(project.catalogue, loaded.envs)) if near and loaded else (),
        reached_at=project.engine.host,
        gateway_port=gateway_port(project.catalogue, loaded.envs) if near and loaded else 0,
        ports_twice=tuple((str(c), c.hint(project.free_port)) for c in project.port_collisions()) if loaded else (),
        low_ports={p.number: p.service for p in project.host_ports() if p.number < PRIVILEGED} if loaded else {},
        memory_wanted=preflight.memory_wanted(containers),
        memory_default=preflight.memory_wanted(_by_default(project)),
        socket_mounts=_socket_mounts(project, loaded) if loaded else (),
        started=_started(project),
        removable=_removable(collector, engine.facts.disk if engine.facts else None, directory.disk),
        causes=why,
        findings=findings,
    )


def _by_default(project: Project) -> Iterable[Component[Any]]:
    """The components that `up` starts without names."""
    services = closure(resolve(project.engine.default_services, project.catalogue), project.catalogue)
    return project.catalogue.components(services).values()


def _socket_mounts(project: Project, loaded: Settings) -> tuple[SocketMount, ...]:
    """What components mount that is a setting of its own: only the engine's socket is."""
    found = []
    for service in project.catalogue.services.values():
        for part in (service, *service.components):
            names, paths = (part.storage.mounts(env) for env in (symbolic(service.env), loaded.envs[service.id]))
            for told, mount in zip(names, paths, strict=True):
                if isinstance(told, HostPath) and isinstance(mount, HostPath):
                    setting = told.source.strip("${}").partition(":-")[0]
                    found.append(SocketMount(service=service.id, component=part.id, setting=setting, path=mount.source))
    return tuple(found)


def _removable(collector: Collector, *disks: Disk | None) -> tuple[Removable, ...]:
    full = fullest(disk for disk in disks if disk)
    return collector.removable(full.path) if full and full.space is not Space.ENOUGH else ()


def _started(project: Project) -> bool:
    """Whether services were ever started, as far as it can be read: a file that cannot is a diagnosis of its own."""
    try:
        return bool(project.directory.started() or project.directory.bootstrapped())
    except ArcError:
        return False


def _directory(project: Project, directory: ProjectFacts) -> tuple[ProjectFacts, Settings | None]:
    misses = tuple(near_misses(project.environment, project.catalogue))
    try:
        loaded = project.settings
    except ArcError as error:
        lost = isinstance(error, SecretsLost)
        return replace(directory, near_misses=misses, problem=(error.message, error.hint), secrets_lost=lost), None
    return replace(directory, near_misses=misses, settings=len(loaded.values)), loaded


def _proxies(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Programs read these names in either case."""
    wanted = (*PROXIES, NO_PROXY)
    return {name.lower(): value for name, value in environment.items() if name.lower() in wanted and value}


def _seen(
    project: Project, engine: EngineReport, loaded: Settings | None, newest: NewestBackup
) -> tuple[tuple[tuple[str, Finding], ...], tuple[tuple[str, Explanation], ...]]:
    """What the probes of the running services saw, and why others crashed."""
    if loaded is None or engine.problem or engine.compose_problem:
        return (), ()
    services, observed = tuple(project.catalogue.services), project.engine.observe()
    answers = asyncio.run(project.prober.ask(targets(project, observed, services), PROBE_SECONDS))
    findings = tuple((service, finding) for service, answer in answers.items() for finding in answer.findings)
    ended = crashed(services, project, observed, answers)
    refused = {i: answer for i, answer in answers.items() if not answer.ok and i not in ended}
    return findings, tuple(causes((*ended, *refused), project, newest, refused).items())


def _taken(project: Project, engine: EngineReport, loaded: Settings | None) -> tuple[Taken, ...] | None:
    """Ports of what does not run which another program uses."""
    if loaded is None or engine.problem or engine.compose_problem:
        return None
    observed = project.engine.observe()
    return tuple(
        Taken(port=port.number, service=port.component, owner=str(project.port_owner(port.number)))
        for port in project.host_ports()
        if not observed.of(port.component).running and project.ports.taken(port.number)
    )
