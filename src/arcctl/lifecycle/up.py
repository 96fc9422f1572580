"""`up` and `restart`: decide everything on one observation, start in order, and wait until every service is ready."""

from __future__ import annotations

from dataclasses import dataclass, replace

from arcctl.checks.causes import NewestBackup, causes
from arcctl.engines.base import Observed
from arcctl.errors import DeadlineError, UnhealthyError
from arcctl.lifecycle import bootstrap, data_versions, image_lock, ports, preflight, seeding, stopping
from arcctl.lifecycle import input_hashes as hashing
from arcctl.lifecycle import plan as planning
from arcctl.lifecycle.executor import PlanExecutor
from arcctl.lifecycle.naming import named, noted
from arcctl.lifecycle.report import UpReport
from arcctl.model.graph import closure, resolve
from arcctl.model.names import PORTS
from arcctl.project import Project, ensure_secrets, project_lock, refuse_lost_secrets, refuse_other_project
from arcctl.settings import bind_address
from arcctl.settings.resolve import ENVIRONMENT

TIMEOUT = 300.0
"""Seconds until `up` gives up waiting."""


@dataclass(frozen=True, kw_only=True)
class Request:
    words: tuple[str, ...] = ()
    """Services, layers or `all`; nothing means the default services of the engine."""
    wait: bool = True
    timeout: float = TIMEOUT
    dry_run: bool = False
    locked: bool = False
    """Refuse images that are not the locked ones."""
    fixed_ports: bool = False
    """Refuse ports that others have, rather than choose free ones."""


@dataclass(frozen=True)
class Prepared:
    project: Project
    """With the secrets that were generated."""
    observed: Observed
    plan: planning.Plan
    input_hashes: dict[str, str]
    """The hash of what each container is created from."""
    left_out: tuple[str, ...]


def prepare(request: Request, project: Project) -> Prepared:
    """Generate missing secrets, observe the engine once, and decide everything on that."""
    if not request.dry_run:
        project = named(project)
        stopping.finish(project)
    engine = project.engine
    asked = resolve(request.words or engine.default_services, project.catalogue)
    volumes = engine.volumes()
    if request.dry_run:
        refuse_lost_secrets(project, volumes)
    else:
        project = ensure_secrets(project, volumes)
    observed = engine.observe()
    refuse_other_project(observed, project)
    ended = () if request.dry_run else engine.recover(project.note)
    if ended or any(now.changed for now in observed.containers.values()):  # which may be repaired, or have passed
        observed = engine.observe()
    wanted = closure((*asked, *project.catalogue.owners(ended)), project.catalogue)
    if not request.dry_run:
        project = ports.choose(project, wanted if request.fixed_ports else None)
    services = _available(request.words, wanted, observed, project)
    project.note(f"services: {', '.join(services)}")
    data_versions.refuse(services, project, observed, volumes)
    image_lock.verify_locked(services, project, strict=request.locked)
    plan, input_hashes = decide(services, project, observed)
    return Prepared(project, observed, plan, input_hashes, tuple(i for i in wanted if i not in services))


def decide(services: tuple[str, ...], project: Project, observed: Observed) -> tuple[planning.Plan, dict[str, str]]:
    """The steps for the containers of these services, and the hash of what each is created from."""
    images = project.engine.images(c.container.image for c in project.catalogue.components(services).values())
    input_hashes = hashing.input_hashes(services, project) if project.directory.secrets() else {}
    changed = hashing.changed(input_hashes, project)
    plan = planning.make(services, project.catalogue, observed, project.engine.hashes(), images, changed)
    return plan, input_hashes


def _available(
    words: tuple[str, ...], services: tuple[str, ...], observed: Observed, project: Project
) -> tuple[str, ...]:
    """Those that are available on this engine; a note names each other one, with the command that changes that.

    Raises UnhealthyError for one that was asked for by its name.
    """
    missing = {i: observed.unavailable[i] for i in services if i in observed.unavailable}
    for service_id, why in missing.items():
        if service_id in words:
            raise UnhealthyError(f"{service_id} is not available here: {why.reason}", hint=why.command)
        project.note(f"not available here: {service_id}: {why}")
    return tuple(i for i in services if i not in missing)


async def up(request: Request, project: Project) -> UpReport:
    """Raises PreflightError before anything is started, ArcError where the engine refuses."""
    if request.dry_run:
        prepared = prepare(request, project)
        return UpReport(prepared.plan, None, prepared.left_out)
    with await project_lock(project):
        seeding.refuse(project)
        return await launch(request, project.reloaded())


async def launch(request: Request, project: Project) -> UpReport:
    """For a caller that holds the project's lock."""
    prepared = prepare(request, project)
    project, plan = prepared.project, prepared.plan
    project.directory.remember_engine(project.engine.name, preflight.check(plan, project))
    noted(project)
    _keep_bind_address(project)
    data_versions.remember(plan.services, project)
    project.directory.remember_started(project.directory.started() | set(plan.services))
    absent = {step.key for step in plan.steps if step.action is planning.Action.CREATE}
    times = project.directory.started_at()
    project.directory.remember_started_at({key: time for key, time in times.items() if key not in absent})
    project.directory.remember_bootstrapped(project.directory.bootstrapped() - {step.key for step in plan.changes})
    work = PlanExecutor(plan=plan, project=project, input_hashes=prepared.input_hashes, observed=prepared.observed)
    outcome = await work.run(wait=request.wait, timeout=request.timeout)
    data_versions.remember_servers(outcome.ready, outcome.observed, project)
    if plan.missing_images:
        image_lock.verify_locked(plan.services, project, strict=False)
    new = tuple(
        i for i in outcome.ready if i in project.catalogue.services and i not in project.directory.bootstrapped()
    )
    report = UpReport(plan, outcome, prepared.left_out, ports=ports.chosen(project, plan.services))
    if not new:
        return report
    found = await bootstrap.set_up(new, project, outcome.observed, create=True, since=outcome.seconds, detail=True)
    return replace(report, resources=found)


def _keep_bind_address(project: Project) -> None:
    """One that was chosen for this command is that of the next ones, too."""
    found = project.settings.values[bind_address.NAME]
    if found.origin == ENVIRONMENT and found.text:
        project.directory.set_value(PORTS, bind_address.NAME, found.text)


def raise_for_failed(report: UpReport, project: Project, newest_backup: NewestBackup) -> None:
    """Raises UnhealthyError or DeadlineError for what did not become ready, after the end of its log."""
    outcome = report.outcome
    if outcome is None or report.passed:
        return
    blamed = outcome.failed or outcome.waiting
    culprit, reason = next(iter(blamed.items()))
    for line in project.engine.logs_of_last_run(culprit, tail="12"):
        project.note(f"  {line}")
    others = f" (and {len(blamed) - 1} more: {', '.join(list(blamed)[1:])})" if len(blamed) > 1 else ""
    hint = f"arcctl logs {culprit}, then arcctl up"
    if cause := causes([culprit], project, newest_backup).get(culprit):
        raise UnhealthyError(f"{culprit} {cause.message}{others}", hint=cause.hint)
    if outcome.failed:
        raise UnhealthyError(f"{culprit} did not become ready: {reason}{others}", hint=hint)
    raise DeadlineError(f"{culprit} was not ready in {outcome.seconds:.0f} s: {reason}{others}", hint=hint)
