"""Shows custom services, and what was done with them."""

from __future__ import annotations

from arcctl.custom.report import AddReport, ListReport, Removal
from arcctl.terminal import console as terminal
from arcctl.terminal import document

LIST = "arcctl.service-list/v1"


def added(report: AddReport) -> None:
    parts = [report.image or f"built from {report.build}", *report.addresses]
    parts += [f"depends on {', '.join(report.needs)}"] if report.needs else []
    parts += [word for word, wanted in (("database", report.database), ("web", report.web)) if wanted]
    terminal.say(f"{report.file}: {'; '.join(parts)}")
    if report.code_files:
        terminal.say(f"{report.build}: {report.code_files} files, begin with README.md")
    terminal.say(f"next{'' if report.starts_here else ', with Docker'}: arcctl up {report.name}")


def listed(report: ListReport, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(LIST, report))
    elif report.services:
        rows = [(s.name, s.build or s.image, ", ".join(s.needs), s.file) for s in report.services]
        terminal.table(("SERVICE", "MADE FROM", "DEPENDS ON", "FILE"), rows)
    else:
        terminal.say("no services of your own yet; to add one: arcctl service add --help, arcctl service new --help")


def removal(planned: Removal, *, data: bool) -> None:
    """What is going to be removed, and what stays."""
    terminal.say(f"containers: {', '.join(planned.containers) or 'none'}")
    terminal.say(f"files: {', '.join(map(str, planned.files))}")
    terminal.say(f"{'data that is destroyed' if data else 'data that is kept'}: {', '.join(planned.data) or 'none'}")
    if planned.kept:
        terminal.say(f"code that is kept: {', '.join(map(str, planned.kept))}")


def removed(planned: Removal, *, data: bool) -> None:
    terminal.say(f"removed {planned.name}" + ("" if data or not planned.data else "; its data is kept"))
