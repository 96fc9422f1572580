"""`upgrade`: recreates containers from the images that the project declares, after a backup."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from arcctl.checks import verify
from arcctl.checks.verify_report import Outcome
from arcctl.engines.base import ABSENT, Observed
from arcctl.errors import UpgradeError, UsageError, did_you_mean
from arcctl.images.plan import Move, make
from arcctl.images.report import UpgradeReport, UpgradeStatus
from arcctl.lifecycle import pulling, up
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.env import variables
from arcctl.model.graph import built_images, resolve
from arcctl.project import Project, refuse_other_project
from arcctl.settings.image_tags import chosen, is_tag, prefix, tag_settings
from arcctl.settings.resolve import ENVIRONMENT, lookup

NOTE = "upgrade"
"""The file of the state folder that remembers the last upgrade."""
UNDO = "arcctl upgrade undo"


@dataclass(frozen=True, kw_only=True)
class UpgradePlan:
    moves: tuple[Move, ...]
    tags: Mapping[str, str]
    """The tag settings to write, by name."""


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """What an upgrade needs from other packages."""

    reload: Callable[[], Project]
    """The project after its settings changed."""
    back_up: Callable[[tuple[str, ...]], Awaitable[str]]
    """Back up the data of these services; returns the name of the backup."""
    restore: Callable[[str, tuple[str, ...], Project], Awaitable[Mapping[str, str]]]
    """Restore these services from a backup; returns those that failed, with the reason."""
    refresh: Callable[[Project], Awaitable[None]]
    """Adapt the databases, where their server runs, to a newer server or operating system."""


def plan(words: tuple[str, ...], to: Mapping[str, str], project: Project) -> UpgradePlan:
    """Every move with its cause. Changes nothing. Raises UsageError and UpgradeError for what cannot be done.

    `to` has another tag by the service or component whose image it is.
    """
    observed = project.engine.observe()
    refuse_other_project(observed, project)
    tags = _tags(to, observed, project)
    catalogue = chosen(project.catalogue, tags)
    services = resolve(words or ("all",), project.catalogue)
    if to and not words:
        owners = _tag_owners(project)
        services = tuple(dict.fromkeys(owners[name] for name in tags))
    images = project.engine.images(c.container.image for c in catalogue.components().values())
    return UpgradePlan(moves=make(catalogue, services, observed, images, tags), tags=tags)


def _tag_owners(project: Project) -> dict[str, str]:
    """The service of each tag setting."""
    return {setting.name: setting.service for setting in tag_settings(project.catalogue).values()}


def _tags(to: Mapping[str, str], observed: Observed, project: Project) -> dict[str, str]:
    """The settings that `--to` means. Raises UsageError for a wrong name or tag, and for one without effect."""
    if to:
        image_store(project)
    settings = {s.key: s for s in tag_settings(project.catalogue).values()}
    found = {}
    for key, tag in to.items():
        if key not in settings:
            hint = did_you_mean(key, settings, f"one of {', '.join(settings)}")
            raise UsageError(f"no image is chosen by the name {key!r}", hint=hint)
        name, service = settings[key].name, settings[key].service
        if not is_tag(tag):
            raise UsageError(f"{tag!r} is not a valid image tag", hint=f"arcctl images outdated {service}")
        if lookup(project.catalogue, name, project.sources).origin == ENVIRONMENT:
            raise UsageError(f"the environment variable {name} overrides the tag", hint=f"unset {name}")
        if observed.of(key).state == ABSENT:
            short = name.removeprefix(prefix(project.catalogue.services[service]))
            hint = f"arcctl config set {service} {short} {tag}, then arcctl up {service}"
            raise UsageError(f"{key} does not exist, so it cannot be upgraded", hint=hint)
        found[name] = tag
    return found


async def upgrade(plan: UpgradePlan, project: Project, callbacks: Callbacks) -> UpgradeReport:
    """Pull the images, back up the data, write the settings, recreate the containers, run their smoke tests.

    Raises UpgradeError where that fails; nothing is undone automatically.
    """
    await _pull(plan.moves, project)
    saved = with_data(tuple(dict.fromkeys(move.service for move in plan.moves)), project)
    backup = await callbacks.back_up(saved) if saved else ""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    report = UpgradeReport(status=UpgradeStatus.UPGRADED, moves=plan.moves, at=at, backup=backup, saved=saved)
    project.directory.keep_note(NOTE, asdict(report))
    owners = _tag_owners(project)
    for name, tag in plan.tags.items():
        project.directory.set_value(owners[name], name, tag)
    await bring_up(report.services, callbacks.reload(), callbacks)
    return report


async def _pull(moves: tuple[Move, ...], project: Project) -> None:
    """An image that cannot be pulled fails here, before anything changes."""
    if project.engine.image_store:
        wanted = dict.fromkeys(m.after for m in moves if m.after not in built_images(project.catalogue))
        present = project.engine.images(wanted)
        await pulling.pull((r for r in wanted if r not in present), project, "arcctl upgrade")


def with_data(services: tuple[str, ...], project: Project) -> tuple[str, ...]:
    """The services that hold data of these: themselves, and those whose accounts they log in with."""
    known, envs = project.catalogue.services, project.settings.envs
    owners = {v.name: i for i, s in known.items() for v in variables(s.env) if not v.shared}
    used = {owners[v.name] for i in services for v in variables(known[i].env) if v.shared}
    return tuple(i for i in known if i in {*services, *used} and known[i].backup(envs[i]))


async def bring_up(services: tuple[str, ...], project: Project, callbacks: Callbacks) -> None:
    """Start the services, adapt the databases and run their smoke tests. Raises UpgradeError where either fails."""
    result = await up.up(up.Request(words=services), project)
    if result.outcome and not result.passed:
        key, reason = next(iter({**result.outcome.failed, **result.outcome.waiting}.items()))
        raise UpgradeError(f"{key} did not come up: {reason}", hint=f"{UNDO}, or arcctl logs {key}")
    await callbacks.refresh(project)
    report = await verify.verify(verify.Request(words=services), project.reloaded())
    for verdict in report.services:
        if verdict.outcome is Outcome.FAILED:
            raise UpgradeError(f"{verdict.name} fails its smoke test: {verdict.reason}", hint=UNDO)
