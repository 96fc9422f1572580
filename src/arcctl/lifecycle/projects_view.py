"""What `projects` and `clean --orphans` print."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from arcctl.lifecycle.orphans import Orphan
from arcctl.lifecycle.projects import ListedProject, ProjectsReport, ProjectState
from arcctl.terminal import console as terminal
from arcctl.terminal import document

PROJECTS = "arcctl.projects/v1"
_UNITS = (("day", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))
_STYLES = {ProjectState.RUNNING: "green", ProjectState.UNKNOWN: "yellow"}


def projects_json(report: ProjectsReport) -> None:
    terminal.line(document.text(PROJECTS, report))


def projects(report: ProjectsReport) -> None:
    headers = ("PROJECT", "STATE", "ENGINE", "PORTS", "MEMORY", "DISK", "LAST USE", "DIRECTORY")
    now = datetime.now(UTC)
    terminal.table(headers, [_row(found, now) for found in report.projects])
    if not report.projects:
        terminal.say("no projects; to create one: arcctl init")
    for found in report.projects:
        if found.reason:
            terminal.say(f"{found.name}: {found.reason}", style="yellow")
    if any(found.gone for found in report.projects):
        terminal.say("a directory is gone: where it was moved, run a command there; else: arcctl clean --orphans")


def _row(found: ListedProject, now: datetime) -> tuple[tuple[str, str] | str, ...]:
    return (
        found.name,
        (_state(found), _STYLES.get(found.state, "dim")),
        found.engine or "-",
        _range(found.ports),
        terminal.size(found.memory_bytes) if found.memory_bytes else "-",
        terminal.size(found.disk_bytes) if found.disk_bytes else "-",
        ago(found.last_used, now),
        (f"{found.directory} (gone)", "yellow") if found.gone else found.directory or "?",
    )


def _state(found: ListedProject) -> str:
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


def destroyed(found: Orphan) -> None:
    terminal.say(f"destroyed: {found.name}")


def kept(found: Orphan) -> None:
    terminal.say(f"kept: {found.name}")
