"""Images and upgrades as tables, lines and JSON documents."""

from __future__ import annotations

from collections.abc import Iterable

from arcctl.images.plan import Move, MoveKind
from arcctl.images.report import ListedImage, LockReport, NewerTags, SaveReport, UpgradeReport
from arcctl.model.image import Match
from arcctl.terminal import console as terminal
from arcctl.terminal import document

LIST, LOAD, LOCK = "arcctl.images-list/v1", "arcctl.images-load/v1", "arcctl.images-lock/v1"
OUTDATED, SAVE = "arcctl.images-outdated/v1", "arcctl.images-save/v1"
UPGRADE = "arcctl.upgrade/v1"
MEGABYTE = 1_000_000
SHOWN = 12
"""Characters of a hash that tell images apart."""
STATES: dict[Match, tuple[str, str]] = {
    Match.LOCKED: ("✔ locked", "green"),
    Match.UNLOCKED: ("✔ present", "green"),
    Match.OTHER: ("✘ not the locked image", "red"),
    Match.MISSING: ("○ missing", "dim"),
}


def images(listed: tuple[ListedImage, ...], schema: str, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(schema, {"images": listed}))
        return
    rows = [(i.upstream, i.registry or "(built here)", _state(i), *_identity(i), ", ".join(i.used_by)) for i in listed]
    terminal.table(("IMAGE", "FROM", "STATE", "DIGEST OR ID", "SIZE", "USED BY"), rows)
    for mismatch in (mismatch for image in listed for mismatch in image.mismatches):
        terminal.say(f"warning: {mismatch} (arcctl up)", style="yellow")


def _state(image: ListedImage) -> tuple[str, str]:
    word, style = STATES[image.state]
    built, stub = ", built" if image.built and image.present else "", ", stub" if image.stub else ""
    return f"{word}{built}{stub}", style


def _identity(image: ListedImage) -> tuple[str, str]:
    if image.digest is None or image.size is None:
        return "", ""
    return image.digest.rpartition(":")[2][:SHOWN], f"{image.size / MEGABYTE:.0f} MB"


def unused(listed: Iterable[ListedImage]) -> None:
    references = [image.reference for image in listed if not image.used_by]
    if references:
        terminal.say(f"no service uses {', '.join(references)} (arcctl config diff)", style="yellow")


def locked(report: LockReport, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(LOCK, report))
    terminal.say(f"images.lock.json: {terminal.count(len(report.images), 'image')} locked", style="green")
    if report.missing:
        terminal.say(f"not pulled, so not changed: {', '.join(report.missing)} (arcctl images pull)", style="yellow")


def saved(report: SaveReport, *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(SAVE, report))
    count = terminal.count(len(report.images), "image")
    terminal.say(f"{report.file}: {count}, {report.size / MEGABYTE:.0f} MB", style="green")
    terminal.say(f"on the other machine: arcctl images load {report.file.name}")


def outdated(found: tuple[NewerTags, ...], *, as_json: bool) -> None:
    if as_json:
        terminal.line(document.text(OUTDATED, {"images": found}))
    else:
        terminal.table(("IMAGE", "STATE", "UPGRADE WITH"), [(one.reference, *_newer(one)) for one in found])


def _newer(found: NewerTags) -> tuple[tuple[str, str], str]:
    if found.unknown:
        return (f"? unknown: {found.unknown}", "dim"), ""
    if not found.tags:
        return ("✔ newest", "green"), ""
    more = f" (and {len(found.tags) - 1} older ones)" if len(found.tags) > 1 else ""
    return (f"! newer: {found.tags[0]}{more}", "yellow"), f"arcctl upgrade --to {found.component}={found.tags[0]}"


def upgrade_json(report: UpgradeReport) -> None:
    terminal.line(document.text(UPGRADE, report))


def upgrade_plan(report: UpgradeReport, *, as_json: bool) -> None:
    """The plan as data, of a dry run or with nothing to do."""
    if as_json:
        upgrade_json(report)
    else:
        for move in report.moves:
            terminal.line(str(move))
    if not report.moves:
        terminal.say("nothing to upgrade: everything that runs is what the project declares")


def upgrade_question(moves: tuple[Move, ...]) -> None:
    """The plan above the question whether to do it."""
    for move in moves:
        terminal.say(str(move), style="yellow" if move.kind is MoveKind.DOWNGRADE else "")
    if any(move.kind is MoveKind.DOWNGRADE for move in moves):
        terminal.say("an older server may not be able to read the data of a newer one", style="yellow")


def upgraded(report: UpgradeReport, *, as_json: bool) -> None:
    if as_json:
        upgrade_json(report)
    terminal.say(f"upgraded, and the smoke tests passed: {', '.join(report.services)}", style="green")
    if report.backup:
        terminal.say(f"the data from before the upgrade is in the backup {report.backup}")
    terminal.say("to go back: arcctl upgrade undo")


def undo_question(last: UpgradeReport) -> None:
    for move in last.moves:
        terminal.say(f"back to {move.before}: {move.key}")
    if last.backup:
        terminal.say(f"data written since {last.at} is lost in: {', '.join(last.saved)}", style="yellow")


def undone(report: UpgradeReport, *, as_json: bool) -> None:
    if as_json:
        upgrade_json(report)
    terminal.say(f"undone, and the smoke tests passed: {', '.join(report.services)}", style="green")
