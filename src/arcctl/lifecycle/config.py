"""`config`: list settings with their origin, check them, and change some: checked before anything is written."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from arcctl.errors import ArcError, SettingsError, UsageError, did_you_mean
from arcctl.lifecycle import ports, up
from arcctl.lifecycle.config_report import (
    ChangedSetting,
    ListedSetting,
    SetReport,
    SettingsReport,
    ShownValue,
    ValidateReport,
)
from arcctl.lifecycle.plan import Action, Step
from arcctl.model.env import Variable
from arcctl.model.graph import resolve
from arcctl.model.host_ports import port_settings
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
        yield from self._about_port(project)

    def _about_port(self, project: Project) -> Iterator[str]:
        if not self.value or self.name not in port_settings(project.catalogue, local=True):
            return
        if other := project.reserved_by(int(self.value)):
            yield f"port {self.value} is also one of the project {other}: only one of the two can be up"
        local = project.engine.image_store is None
        if self.name not in port_settings(project.catalogue, local=local):
            yield f"on the {project.engine.name} engine containers have this port for themselves: nothing changes there"


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


def is_setting(name: str, project: Project) -> bool:
    """Whether this is the whole name of a setting."""
    return name in owned(project.catalogue)


def find_by_name(name: str, project: Project) -> Variable:
    """The setting with this whole name. Raises UsageError with the nearest one."""
    known = {n: v for n, (_, v) in owned(project.catalogue).items() if not v.server_issued}
    if name not in known:
        hint = did_you_mean(name, known, "to see all settings: arcctl config show")
        raise UsageError(f"there is no setting {name}", hint=hint)
    return known[name]


def propose(values: Mapping[str, str | None], project: Project) -> tuple[Change, ...]:
    """What settings would become, by their whole names; None removes one from its service's file.

    Raises SettingsError where a value does not fit, and for a port that another component uses.
    """
    by_owner = _by_owner(values, project)
    given = {owner: {n: v for n, v in own.items() if v is not None} for owner, own in by_owner.items()}
    check(project.catalogue, given, insecure_demo=project.insecure_demo)
    first, *others = before = project.sources
    files = {source.owner: source for source in others if source.owner}
    changed = [_changed(files.get(i, Source(f"config/{i}/.env", {}, i)), own) for i, own in by_owner.items()]
    after = (first, *changed, *(source for source in others if source.owner not in by_owner))
    known = project.catalogue
    changes = tuple(Change(lookup(known, n, before), lookup(known, n, after), v) for n, v in values.items())
    _refuse_used_port(values, after, project)
    return changes


def _by_owner(values: Mapping[str, str | None], project: Project) -> dict[str, dict[str, str | None]]:
    owners, found = owned(project.catalogue), dict[str, dict[str, str | None]]()
    for name, value in values.items():
        found.setdefault(owners[name][0], {})[name] = value
    return found


def _changed(source: Source, values: Mapping[str, str | None]) -> Source:
    merged = {**source.values, **values}
    return replace(source, values={name: value for name, value in merged.items() if value is not None})


def _refuse_used_port(changed: Container[str], sources: tuple[Source, ...], project: Project) -> None:
    """Raises SettingsError for a port that another component has. Settings that are invalid are told elsewhere."""
    try:
        settings = resolve_settings(project.catalogue, (*sources, any_secrets(project.catalogue)), insecure_demo=True)
    except SettingsError:
        return
    for collision in project.port_collisions(settings):
        for port in (collision.first, collision.second):
            if port.variable in changed:
                hint = port.change_to(project.free_port(port.number, settings))
                raise SettingsError(str(collision), hint=hint)


async def write(changes: Iterable[Change], project: Project) -> None:
    """Write the files of the services, all or none, and the file that Compose reads."""
    with await project_lock(project):
        project.directory.set_values(_by_owner({change.name: change.value for change in changes}, project))
        if project.directory.secrets():
            _refresh(project.reloaded())


def _refresh(project: Project) -> None:
    """Another setting that is invalid does not undo this change; the next command refuses it."""
    try:
        project.directory.write_compose_env(project.settings.mapping())
        ports.reserve(project)
    except SettingsError as error:
        project.note(f"another setting is invalid: {error.message}")


def report(changes: Iterable[Change], project: Project, *, written: bool) -> SetReport:
    """What changes did, or would do; `project` is the one that has them."""
    changes = tuple(changes)
    return SetReport(
        changes=tuple(map(_shown, changes)),
        written=written,
        warnings=tuple(text for change in changes for text in change.warnings(project)),
        recreated=_recreated(project) if written else None,
    )


def _shown(change: Change) -> ChangedSetting:
    before, after = (ShownValue(value.shown, value.origin) for value in (change.before, change.after))
    return ChangedSetting(name=change.name, service=change.after.service, before=before, after=after)


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
