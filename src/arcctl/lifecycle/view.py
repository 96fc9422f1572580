"""What the commands of this package print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from arcctl.events import Event, Kind
from arcctl.lifecycle.config_report import SetReport, SettingsReport, ValidateReport
from arcctl.lifecycle.orphans import Orphan
from arcctl.lifecycle.projects import ListedProject, ProjectsReport, ProjectState
from arcctl.lifecycle.report import BootstrapReport, InitReport, PsReport, RestartReport, UpReport
from arcctl.model.resource import ResourceResult, State
from arcctl.terminal import console as terminal
from arcctl.terminal import document

SHOW, VALIDATE, DIFF, SET, SET_SEVERAL = (
    f"arcctl.config-{verb}/v1" for verb in ("show", "validate", "diff", "set", "set-several")
)
BOOTSTRAP, PS = "arcctl.bootstrap/v1", "arcctl.ps/v1"
PROJECTS = "arcctl.projects/v1"
WORDS = {
    State.EXISTS: ("✔ exists", "green"),
    State.CREATED: ("✔ created", "green"),
    State.MISSING: ("✘ missing", "red"),
    State.REFUSED: ("✘ refused", "red"),
    State.SKIPPED: ("? skipped", "dim"),
}
FEW_PORTS = 6
"""So many are named one by one."""
_UNITS = (("day", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))
_PROJECT_STYLES = {ProjectState.RUNNING: "green", ProjectState.UNKNOWN: "yellow"}


def bootstrap_json(report: BootstrapReport) -> None:
    terminal.line(document.text(BOOTSTRAP, report, summary=report.summary))


def bootstrap(report: BootstrapReport) -> None:
    terminal.table(("SERVICE", "RESOURCE", "STATE", "REASON"), [_row(f) for f in report.resources])
    counts = ", ".join(_count(state, n) for state, n in report.summary.items() if n) or "nothing to set up"
    text, style = terminal.word("ok" if report.passed else "bad")
    terminal.out().print(f"\n{text}: {counts} ({report.duration_ms} ms)", style=style)


def _count(state: str, number: int) -> str:
    if state == State.EXISTS:
        return f"{number} {'exists' if number == 1 else 'exist'} already"
    return f"{number} {state}"


def _row(found: ResourceResult) -> tuple[tuple[str, str] | str, ...]:
    hint = f" ({found.hint})" if found.hint else ""
    return (found.service, found.resource, WORDS[found.state], found.reason + hint)


def up(report: UpReport, *, waited: bool) -> None:
    """The plan of a dry run on stdout; else what is ready now, and what to type next."""
    outcome = report.outcome
    if outcome is None:
        for step in report.plan.steps:
            terminal.line(str(step))
        return
    if not waited:
        _ports(report.ports)
        terminal.say("started; to wait until everything is ready: arcctl health --wait")
        return
    done = "ready" if report.plan.changes else "already running, nothing to do"
    terminal.say(f"{done}: {', '.join(report.plan.services)} ({outcome.seconds:.1f} s)", style="green")
    if outcome.stubs:
        terminal.say(f"stubs, not the real servers: {', '.join(outcome.stubs)}", style="yellow")
    _ports(report.ports)
    if report.left_out:
        terminal.say(f"not available here: {', '.join(report.left_out)}", style="yellow")
    terminal.say("next: arcctl info, arcctl health" + (", arcctl engine list" if report.left_out else ""))


def _ports(chosen: Mapping[str, int]) -> None:
    """What a user of the default ports has to know."""
    if len(chosen) > FEW_PORTS:
        terminal.say(f"{len(chosen)} default ports are not free, others were chosen; to see them: arcctl info")
    elif chosen:
        ports = ", ".join(f"{name}={number}" for name, number in chosen.items())
        terminal.say(f"chosen because the default ports are not free: {ports}")


def warn(event: Event) -> None:
    """A sink for a command that shows no progress."""
    if event.kind is Kind.WARNING:
        terminal.say(f"warning: {event.message}", style="yellow")


def init(report: InitReport) -> None:
    count = terminal.count(len(report.generated), "secret")
    generated = f"{count} generated" if report.generated else "secrets exist already"
    terminal.say(f"project {report.directory}: {generated}")
    _ports(report.ports)
    terminal.say("next: arcctl up")


def destroyable(containers: tuple[str, ...], volumes: tuple[str, ...]) -> None:
    """What `clean` is going to delete."""
    if not containers and not volumes:
        terminal.say("nothing to destroy")
        return
    terminal.say(f"containers: {', '.join(containers) or 'none'}")
    terminal.say(f"data volumes: {', '.join(volumes) or 'none'}")


def cleaned() -> None:
    terminal.say("destroyed; settings and secrets are kept")


def down(stopped: tuple[str, ...]) -> None:
    terminal.say(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    terminal.say("data is kept; to start again: arcctl up; to delete it: arcctl clean")


def restart(report: RestartReport) -> None:
    if report.up is None:
        terminal.say("nothing to restart: none of these exists; to start: arcctl up")
    else:
        terminal.say(f"restarted: {', '.join(report.restarted)}", style="green")


def ps_json(report: PsReport) -> None:
    terminal.line(document.text(PS, {"containers": report.containers}))


def ps(report: PsReport, *, all_: bool = False) -> None:
    """Without `all_`, the services that cannot run on this engine share one line."""
    hidden = () if all_ else {name for names in report.left_out.values() for name in names}
    headers = ("CONTAINER", "STATE", "HEALTHCHECK", "PORTS", "IMAGE")
    rows = [
        (c.name, c.state, c.health, ", ".join(f"{host}->{port}" for port, host in sorted(c.ports.items())), c.image)
        for c in report.containers
        if c.name not in hidden
    ]
    terminal.table(headers, rows)
    if hidden:
        terminal.line(f"\n{terminal.not_available(report.left_out)}")


def settings(report: SettingsReport, *, as_json: bool) -> None:
    if as_json:
        items = [{"name": s.name, "service": s.service, "value": s.value, "origin": s.origin} for s in report.settings]
        terminal.line(document.text(SHOW, {"settings": items}))
    else:
        rows = [(s.name, s.value, s.origin, s.meaning) for s in report.settings]
        terminal.table(("SETTING", "VALUE", "ORIGIN", "MEANING"), rows)


def _changed_json(report: SetReport, *, several: bool) -> None:
    recreated = report.recreated and [{"name": step.key, "cause": step.cause} for step in report.recreated]
    if several:
        terminal.line(document.text(SET_SEVERAL, report, recreated=recreated))
    else:
        (change,) = report.changes
        rest = {"written": report.written, "warnings": report.warnings, "recreated": recreated}
        terminal.line(document.text(SET, change, **rest))


def changed_settings(report: SettingsReport, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(DIFF, report))
    elif report.settings:
        rows = [(s.name, s.value, _default(s.default), s.origin, s.meaning) for s in report.settings]
        terminal.table(("SETTING", "VALUE", "DEFAULT", "ORIGIN", "MEANING"), rows)
    else:
        terminal.say("every setting has its default")


def _default(text: str | None) -> str:
    return "(generated)" if text is None else text


def validated(report: ValidateReport, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(VALIDATE, report, status="ok"))
        return
    _warn(report.warnings)
    terminal.say(f"{terminal.count(report.settings, 'setting')}, all valid", style="green")


def _warn(warnings: Iterable[str]) -> None:
    for text in warnings:
        terminal.say(f"warning: {text}", style="yellow")


def changed(report: SetReport, *, as_json: bool, several: bool) -> None:
    """As a list where `several` could be given, although it was one."""
    if as_json:
        _changed_json(report, several=several)
        return
    _warn(report.warnings)
    for change in report.changes:
        before, after = change.before, change.after
        terminal.line(f"{change.name}: {before.value} ({before.origin}) -> {after.value} ({after.origin})")
    for step in report.recreated or ():
        terminal.line(str(step))
    if not report.written:
        terminal.say("nothing was written")
    elif report.recreated is None:
        terminal.say("the engine does not answer, so it is unknown which containers this changes")
    else:
        terminal.say("next: arcctl up" if report.recreated else "no running container is affected")


def projects_json(report: ProjectsReport) -> None:
    terminal.line(document.text(PROJECTS, report))


def projects(report: ProjectsReport) -> None:
    headers = ("PROJECT", "STATE", "ENGINE", "PORTS", "MEMORY", "DISK", "LAST USE", "DIRECTORY")
    now = datetime.now(UTC)
    terminal.table(headers, [_project_row(found, now) for found in report.projects])
    if not report.projects:
        terminal.say("no projects; to create one: arcctl init")
    for found in report.projects:
        if found.reason:
            terminal.say(f"{found.name}: {found.reason}", style="yellow")
    if any(found.gone for found in report.projects):
        terminal.say("a directory is gone: where it was moved, run a command there; else: arcctl clean --orphans")


def _project_row(found: ListedProject, now: datetime) -> tuple[tuple[str, str] | str, ...]:
    return (
        found.name,
        (_project_state(found), _PROJECT_STYLES.get(found.state, "dim")),
        found.engine or "-",
        _range(found.ports),
        terminal.size(found.memory_bytes) if found.memory_bytes else "-",
        terminal.size(found.disk_bytes) if found.disk_bytes else "-",
        ago(found.last_used, now),
        (f"{found.directory} (gone)", "yellow") if found.gone else found.directory or "?",
    )


def _project_state(found: ListedProject) -> str:
    if found.state is ProjectState.RUNNING:
        return f"running {found.running} of {found.components}"
    return "nothing" if found.state is ProjectState.EMPTY else found.state


def _range(ports: tuple[int, ...]) -> str:
    return f"{ports[0]}-{ports[-1]}" if len(ports) > 1 else "".join(map(str, ports)) or "-"


def ago(text: str, now: datetime) -> str:
    """`3 min ago` for an ISO 8601 time."""
    if not text:
        return "?"
    passed = now - datetime.fromisoformat(text)
    for unit, length in _UNITS:
        if count := passed // length:
            return f"{terminal.count(count, unit) if unit == 'day' else f'{count} {unit}'} ago"
    return "now"


def orphan(found: Orphan) -> None:
    """What is going to be deleted of one project."""
    terminal.say(f"project {found.name}: its directory {found.directory} is gone")
    for part in found.parts:
        running = f", {part.running} running" if part.running else ""
        counts = (
            (len(part.containers), "container"), (len(part.stores), "volume"), (len(part.networks), "network")
        )  # fmt: skip
        words = ", ".join(terminal.count(number, noun) for number, noun in counts if number)
        what = f"{part.folder} with {_names(part.stores)}" if part.folder else f"{words}: {_names(part.stores)}"
        terminal.say(f"  {part.engine}: {what}, {terminal.size(part.disk)} of data{running}")
    if not found.parts:
        terminal.say("  nothing is left of it but its entry in the list of projects")
    if found.obstacle:
        terminal.say(f"  not deleted: {found.obstacle}", style="yellow")


def _names(stores: Iterable[str]) -> str:
    return ", ".join(stores) or "no data"


def no_orphans(name: str) -> None:
    what = (
        f"no project with the name {name} and a directory that is gone" if name else "every project has its directory"
    )
    terminal.say(f"nothing to destroy: {what}")


def orphan_destroyed(found: Orphan) -> None:
    terminal.say(f"destroyed: {found.name}")


def orphan_kept(found: Orphan) -> None:
    terminal.say(f"kept: {found.name}")
