"""What is checked before anything starts: the engine's version, ports, disk and memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from arcctl.engines.base import EngineFacts, Observed, too_old
from arcctl.errors import EngineError, PreflightError
from arcctl.events import Event, Kind
from arcctl.lifecycle.plan import Action, Plan
from arcctl.model.disk import GIGABYTE, MEGABYTE, SPARE_BYTES, Space
from arcctl.model.host_ports import FOR_ALL, HostPort, PortOwner
from arcctl.model.service import Component
from arcctl.project import Project
from arcctl.settings import bind_address

OTHER_PORT = "or choose another one; to see the settings: arcctl config show"
STOP_IT = "stop what uses the port: no setting changes it"
ALL_IMAGES = 8 * GIGABYTE
"""Bytes that the images of all services take."""
FREE = "free disk space; to see what can be removed: arcctl doctor"


def check(plan: Plan, project: Project) -> str:
    """Which engine of its kind this is, where something is to be started.

    Raises EngineError for an engine that is too old, PreflightError for one without the data of this project, ports in
    use or out of reach, too little disk, and mounted files that the users of containers cannot read.
    """
    if not plan.changes:
        return ""
    facts = project.engine.facts()
    refuse_old(facts)
    _refuse_untested(facts, project)
    _refuse_without_data(facts, project)
    project.note(f"engine: {describe(facts)}")
    project.engine.refuse_address(project.settings.values[bind_address.NAME].text or "")
    _refuse_unreadable(plan, project)
    _refuse_ports_used_twice(plan, project)
    _refuse_low_ports(plan, project, facts)
    taken, disk = _taken(plan, project), list(_disk(plan, project, facts))
    if taken or disk:
        owners = {port: project.port_owner(port.number) for port in taken}
        in_use = (f"port {p.number} ({p.component}) is already in use by {owner}" for p, owner in owners.items())
        hints = (*dict.fromkeys(_free_port(p, owner) for p, owner in owners.items()), *((FREE,) if disk else ()))
        raise PreflightError("; ".join((*in_use, *disk)), hint="; ".join(hints))
    _warn_memory(plan, project, facts)
    return facts.which


def describe(facts: EngineFacts) -> str:
    """Versions and sizes in one line."""
    sizes = f"{facts.cpus} cores, {facts.memory / GIGABYTE:.1f} GiB memory"
    disk = f", {facts.disk.free / GIGABYTE:.0f} GiB disk free" if facts.disk else ""
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    return f"{versions}, {sizes}{disk}"


def refuse_old(facts: EngineFacts) -> None:
    """Raises EngineError for an engine or a Compose that lacks what the files use."""
    problem = too_old(facts.versions)
    if problem:
        raise EngineError(problem[0], hint=problem[1])


def _refuse_untested(facts: EngineFacts, project: Project) -> None:
    """Raises PreflightError, unless the command line names the engine."""
    if facts.untested and not project.engine_named:
        text = f"{facts.untested} answers in the place of Docker, and no service was ever started on it"
        go_on = f"to try it: arcctl --engine {project.engine.name} up"
        raise PreflightError(text, hint=f"where there is a Docker engine too: unset DOCKER_HOST; arcctl up; {go_on}")


def elsewhere(facts: EngineFacts, project: Project) -> tuple[str, str]:
    """Where the data of this project is, and how to get there; empty where this engine has it, or none has.

    Another id at the same place is an engine that was installed again: there is no way back to the one before.
    """
    used, here = project.directory.used_engines(), project.engine.name
    known_id, _, way = used.get(here, "").partition(" ")
    if used and here not in used:
        return f"the data of this project is in the {list(used)[-1]} engine", "unset ARCCTL_ENGINE"
    if known_id and facts.id not in ("", known_id) and facts.way != way:
        return f"the data of this project is in another {here} engine than the one that answers", way
    return "", ""


def _refuse_without_data(facts: EngineFacts, project: Project) -> None:
    """Raises PreflightError, unless the command line names the engine."""
    text, back = elsewhere(facts, project)
    if text and not project.engine_named:
        go_on = f"to start without that data: arcctl --engine {project.engine.name} up"
        raise PreflightError(text, hint=f"{back}; arcctl up; {go_on}")
    if text and project.engine.name in project.directory.used_engines():  # else it was said when it was chosen
        project.sink(Event(Kind.WARNING, "", f"{text}; to get back to it: {back}"))


def _refuse_ports_used_twice(plan: Plan, project: Project) -> None:
    """Raises PreflightError where one of these services would use a port of another one, or of one that was started."""
    found = project.port_collisions(services={*plan.services, *project.directory.started()})
    if twice := [c for c in found if {c.first.service, c.second.service} & set(plan.services)]:
        raise PreflightError("; ".join(map(str, twice)), hint=twice[0].hint(project.free_port))


def _refuse_low_ports(plan: Plan, project: Project, facts: EngineFacts) -> None:
    """Raises PreflightError where an engine without root would fail to publish a port."""
    changed = {step.key for step in plan.changes}
    low = [p for p in project.host_ports() if p.component in changed and p.number < facts.lowest_port]
    if low:
        ports = ", ".join(f"{port.number} ({port.component})" for port in low)
        others = " ".join(f"{port.variable}={project.free_port(port.number + FOR_ALL)}" for port in low)
        allow = f"sudo sysctl -w net.ipv4.ip_unprivileged_port_start={min(port.number for port in low)}"
        text = f"the engine runs without root and may not publish ports below {facts.lowest_port}: {ports}"
        raise PreflightError(text, hint=f"arcctl config set {others}; or {allow}")


def _taken(plan: Plan, project: Project) -> tuple[HostPort, ...]:
    """Ports that others than the component itself use: one that is replaced, or runs again by now, uses its own."""
    fresh = {s.key for s in plan.steps if s.action in (Action.CREATE, Action.RECREATE, Action.START)}
    mine = [port for port in project.host_ports() if port.component in fresh and project.ports.taken(port.number)]
    mine.sort(key=lambda port: plan.services.index(port.service))
    if not mine:
        return ()
    observed = project.engine.observe()
    return tuple(p for p in mine if not _uses_itself(p, observed, project) and project.ports.taken(p.number))


def _uses_itself(port: HostPort, observed: Observed, project: Project) -> bool:
    """Whether a component runs with this port; its settings may have another one since it was started."""
    now = observed.of(port.component)
    if not now.running:
        return False
    owner = project.ports.owner(port.number)
    if owner is None:  # the system does not say, so it gets the benefit of the doubt
        return True
    if project.engine.image_store is None:
        return owner.project == str(project.directory.root)
    return port.number in now.ports.values()


def _free_port(port: HostPort, owner: PortOwner) -> str:
    if port.setting:
        return f"{owner.stop if owner.project else 'stop what uses the port'}, {OTHER_PORT}"
    return owner.stop if owner.project else STOP_IT


def _refuse_unreadable(plan: Plan, project: Project) -> None:
    """Servers in containers run as users of their own. Local processes get copies."""
    if project.engine.image_store is None:
        return
    found = project.directory.unreadable_mounts(project.catalogue.bind_mounts(plan.services))
    if found:
        text = ", ".join(f"{path} has mode {mode:04o}" for path, (mode, _) in found.items())
        raise PreflightError(f"containers cannot read what they mount: {text}", hint="arcctl doctor --fix")


def _disk(plan: Plan, project: Project, facts: EngineFacts) -> Iterator[str]:
    """What must be free, and the share of all images that is still missing."""
    disk, missing = facts.disk, len(plan.missing_images)
    images = {c.container.image for c in project.catalogue.components().values()}
    wanted = SPARE_BYTES + ALL_IMAGES * missing // len(images)
    if disk and disk.refuses:
        yield f"cannot write to {disk}"
    elif disk and (disk.space is Space.NONE or disk.free < wanted):
        needed = f"; {wanted / GIGABYTE:.1f} GiB are needed, because {missing} images are missing" if missing else ""
        yield f"too little disk space at {disk}{needed}"


def memory_wanted(containers: Iterable[Component[Any]]) -> int:
    """The sum of the memory limits, in bytes."""
    return sum(c.container.memory_mb for c in containers) * MEGABYTE


def _warn_memory(plan: Plan, project: Project, facts: EngineFacts) -> None:
    """Limits are upper bounds, so an engine smaller than their sum gets a warning and not a refusal."""
    containers = project.catalogue.components(plan.services)
    wanted = memory_wanted(containers.values())
    if facts.memory and facts.memory < wanted // 2:
        text = f"the engine has {facts.memory // MEGABYTE} MiB; these services may use up to {wanted // MEGABYTE} MiB"
        project.sink(Event(Kind.WARNING, "", text))
