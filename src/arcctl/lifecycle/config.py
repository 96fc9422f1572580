"""`config`: list settings with their origin, check them, and change one: checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from arcctl.errors import ArcError, SettingsError, UsageError, did_you_mean
from arcctl.lifecycle import up
from arcctl.lifecycle.config_report import ListedSetting, SetReport, SettingsReport, ShownValue, ValidateReport
from arcctl.lifecycle.plan import Action, Step
from arcctl.model.env import Variable
from arcctl.model.graph import resolve
from arcctl.model.names import IMAGES, PORTS
from arcctl.project import Project, project_lock
from arcctl.settings.image_tags import FIELD as IMAGE_TAG
from arcctl.settings.resolve import (
    ENVIRONMENT,
    Source,
    Value,
    any_secrets,
    check,
    lookup,
    near_misses,
    owned,
    prefix_of,
)
from arcctl.settings.resolve import resolve as resolve_settings


@dataclass(frozen=True)
class Change:
    """One setting before and after."""

    before: Value
    after: Value
    value: str | None
    """What the service's file will say; None where the line is removed."""

    @property
    def name(self) -> str:
        return self.after.variable.name

    def warnings(self, project: Project) -> Iterator[str]:
        of_images = self.after.variable.field == IMAGE_TAG or self.after.service == IMAGES
        if self.value and of_images and project.engine.image_store is None:
            yield f"the {project.engine.name} engine runs no images: {self.name} changes nothing there"
        if self.after.origin == ENVIRONMENT:
            yield f"the process environment sets {self.name} too, and overrides the file"
        if self.after.variable.secret:
            yield f"a server that stores passwords in its data still has the old one: arcctl secrets rotate {self.name}"


def keys(service: str, project: Project) -> dict[str, Variable]:
    """The settings of a service, of `images` or of `ports`, that can be changed."""
    return {n: v for n, (owner, v) in owned(project.catalogue).items() if owner == service and not v.server_issued}


def find(service: str, key: str, project: Project) -> Variable:
    """The setting of that name, with or without the service's prefix and in any case.

    Raises UsageError with the nearest name, UnknownService for a word that is no service.
    """
    if service not in (IMAGES, PORTS) and resolve((service,), project.catalogue) != (service,):
        raise UsageError(f"{service} stands for several services", hint="name one of them")
    known = keys(service, project)
    name = key.upper().replace("-", "_")
    start = prefix_of(service, project.catalogue)
    for candidate in (name, start + name):
        if candidate in known:
            return known[candidate]
    owner, _ = owned(project.catalogue).get(name, ("", None))
    if owner and owner != service:
        raise UsageError(f"{name} belongs to {owner}", hint=f"arcctl config set {owner} {name}")
    full = name if name.startswith(start) else start + name
    hint = did_you_mean(full, known, f"settings: {', '.join(known)}")
    raise UsageError(f"{service} has no setting {name}", hint=hint)


def propose(service: str, variable: Variable, value: str | None, project: Project) -> Change:
    """What the setting would become; the value None removes it from the service's file.

    Raises SettingsError where the value does not fit, and for a port that another component uses.
    """
    if value is not None:
        check(project.catalogue, service, variable.name, value, insecure_demo=project.insecure_demo)
    before = project.sources
    mine = next((s for s in before if s.owner == service), Source(f"config/{service}/.env", {}, service))
    values = {n: v for n, v in mine.values.items() if n != variable.name}
    changed = replace(mine, values=values if value is None else {**values, variable.name: value})
    first, *others = (s for s in before if s.owner != service)
    after = (first, changed, *others)
    known, name = project.catalogue, variable.name
    change = Change(lookup(known, name, before), lookup(known, name, after), value)
    _refuse_used_port(change, after, project)
    return change


def _refuse_used_port(change: Change, sources: tuple[Source, ...], project: Project) -> None:
    """Raises SettingsError for a port that another component has. Settings that are invalid are told elsewhere."""
    try:
        settings = resolve_settings(project.catalogue, (*sources, any_secrets(project.catalogue)), insecure_demo=True)
    except SettingsError:
        return
    start = prefix_of(change.after.service, project.catalogue)
    for collision in project.port_collisions(settings):
        for port in (collision.first, collision.second):
            if port.service == change.after.service and f"{start}{port.setting}" == change.name:
                hint = port.change_to(project.free_port(port.number, settings))
                raise SettingsError(str(collision), hint=hint)


async def write(change: Change, project: Project) -> None:
    """Write the service's file, and the file that Compose reads."""
    with await project_lock(project):
        project.directory.set_value(change.after.service, change.name, change.value)
        if project.directory.secrets():
            _refresh(project)


def _refresh(project: Project) -> None:
    """Another setting that is invalid does not undo this change; the next command refuses it."""
    try:
        project.directory.write_compose_env(project.reloaded().settings.mapping())
    except SettingsError as error:
        project.note(f"another setting is invalid: {error.message}")


def report(change: Change, project: Project, *, written: bool) -> SetReport:
    """What a change did, or would do; `project` is the one that has it."""
    return SetReport(
        name=change.name,
        service=change.after.service,
        before=_shown(change.before),
        after=_shown(change.after),
        written=written,
        warnings=tuple(change.warnings(project)),
        recreated=_recreated(project) if written else None,
    )


def _shown(value: Value) -> ShownValue:
    return ShownValue(value.shown, value.origin)


def _recreated(project: Project) -> tuple[Step, ...] | None:
    """The started containers that the next `up` recreates; None where the engine does not answer."""
    started = tuple(sorted(project.directory.started()))
    if not started:
        return ()
    try:
        request = up.Request(words=started, dry_run=True)
        plan = up.prepare(request, replace(project, sink=lambda event: None)).plan
    except ArcError:
        return None
    return tuple(step for step in plan.steps if step.action is Action.RECREATE)


def show(project: Project) -> SettingsReport:
    """Every setting."""
    return _listed(project.settings.values.values())


def diff(project: Project) -> SettingsReport:
    """The settings that do not have their default; for a secret that is the generated one."""
    generated = project.directory.secrets()
    values = project.settings.values.items()
    return _listed(
        v for n, v in values if v.text != v.variable.default and v.text != generated.get(n, v.variable.default)
    )


def _listed(values: Iterable[Value]) -> SettingsReport:
    return SettingsReport(
        tuple(
            ListedSetting(
                name=value.variable.name,
                service=value.service,
                value=value.shown,
                origin=value.origin,
                default=value.variable.default,
                meaning=value.variable.description,
            )
            for value in values
        )
    )


def validate(project: Project) -> ValidateReport:
    """Raises SettingsError where a setting is invalid, and where two services use the same port."""
    if twice := project.port_collisions():
        raise SettingsError("; ".join(map(str, twice)), hint=twice[0].hint(project.free_port))
    warnings = tuple(f"environment: {text}" for text in near_misses(project.environment, project.catalogue))
    return ValidateReport(len(project.settings.values), warnings)
