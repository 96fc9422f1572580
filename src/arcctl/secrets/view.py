"""Shows secrets without their values: which there are, and what a rotation would do and did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from arcctl.secrets.plan import Step
from arcctl.secrets.report import Entry, ListReport, Preview, RotateReport
from arcctl.terminal import console as terminal
from arcctl.terminal import document

LIST, ROTATE = "arcctl.secrets/v1", "arcctl.secrets-rotate/v1"


def listed(report: ListReport, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(LIST, report))
        return
    rows = [
        (e.name, e.service, ", ".join(e.users), e.origin, (e.changed or "-").partition("T")[0], _rotation(e))
        for e in report.secrets
    ]
    terminal.table(("SECRET", "SERVICE", "USED BY", "COMES FROM", "CHANGED", "ROTATION"), rows)


def _rotation(entry: Entry) -> tuple[str, str]:
    if entry.reason:
        return (f"✘ no: {entry.reason}", "yellow")
    return (f"✔ yes, restarts {', '.join(entry.restarts) or 'nothing'}", "green")


def previewed(report: Preview, *, data: bool, as_json: bool) -> None:
    """The plan, as `data` to stdout or for a person to decide; what is not in it always goes to stderr."""
    if report.unfinished:
        terminal.say(f"finishing what was interrupted: {', '.join(report.unfinished)}")
    for why in dict.fromkeys(refusal.reason for refusal in report.left_out):
        names = [refusal.name for refusal in report.left_out if refusal.reason == why]
        terminal.say(f"not rotated, because {why}: {', '.join(names)}", style="yellow")
    if as_json and data:
        terminal.line(document.text(ROTATE, report))
        return
    for line in _plan(report):
        (terminal.line if data else terminal.say)(line)


def _plan(report: Preview) -> Iterator[str]:
    for secret in report.secrets:
        steps: tuple[Step, ...] = secret.steps
        yield f"{secret.name}: {secret.warning}".rstrip()
        yield from (f"  {step}" for step in steps)


def rotated(report: RotateReport) -> None:
    if not report.rotated:
        terminal.say("nothing to change")
        return
    terminal.say(f"rotated: {', '.join(report.rotated)} ({report.seconds:.1f} s)", style="green")
    if not report.broken:
        terminal.say("your own programs need the new values: arcctl info --reveal")


def exported(folder: PurePath, files: tuple[str, ...]) -> None:
    terminal.say(f"written to {folder}, readable by you alone: {', '.join(sorted(files))}")
