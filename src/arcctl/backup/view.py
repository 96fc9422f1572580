"""Shows backups, and what was done with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from arcctl.backup.manifest import SCHEMA, Entry, Manifest
from arcctl.backup.report import CreateReport, ListReport, Preview, RestoreReport, SeedPlan, SeedReport, VerifyReport
from arcctl.checks import view as checks
from arcctl.checks.verify_report import Outcome, Verdict
from arcctl.terminal import console as terminal
from arcctl.terminal import document

AGES = ((86400, "d"), (3600, "h"), (60, "min"))


def created(report: CreateReport, *, as_json: bool) -> None:
    """The name goes to stdout."""
    content(report.name, report.manifest)
    for service in report.manifest.services:
        terminal.say(f"  {service}: {report.manifest.contents(service)}")
    _missing(report.manifest)
    if not report.manifest.missing:
        terminal.say(f"backup {report.name} is complete ({report.seconds:.1f} s)", style="green")
    if report.down:
        terminal.say(f"not answering after they were stopped: {', '.join(report.down)} (arcctl up)", style="red")
    terminal.say(f"next: arcctl backup verify {report.name}")
    if as_json:
        _document("create", _manifest(report.manifest), name=report.name, down=report.down)
    else:
        terminal.line(report.name)


def _missing(manifest: Manifest) -> None:
    for missing in manifest.missing:
        terminal.say(f"not in this backup: {missing}", style="red")


def deleted(name: str) -> None:
    terminal.say(f"deleted {name}")


def content(name: str, manifest: Manifest) -> None:
    """What a backup holds, in one line."""
    size = terminal.size(manifest.bytes)
    place = (
        f"{manifest.project} on the {manifest.engine} engine" if manifest.project else f"the {manifest.engine} engine"
    )
    terminal.say(f"{name}: {', '.join(manifest.services)} of {place}, {size}")


def listed(report: ListReport, *, as_json: bool) -> None:
    if as_json:
        _document("list", {"backups": [_entry(entry) for entry in report.backups]})
    elif report.backups:
        header = ("NAME", "PROJECT", "AGE", "SIZE", "ENGINE", "OPENS WITH", "VERIFIED", "SERVICES")
        terminal.table(header, [_row(entry) for entry in report.backups])
    else:
        terminal.say("no backups yet; to create one: arcctl backup create")


def _entry(entry: Entry) -> dict[str, Any]:
    more = {**_manifest(entry.manifest), "verified": entry.verified} if entry.manifest else {}
    return {"name": entry.name, "problem": entry.problem, **more}


def _row(entry: Entry) -> tuple[tuple[str, str] | str, ...]:
    if not entry.manifest:
        return (entry.name, "", "", "", "", "", (f"✘ {entry.problem}", "red"), "")
    m, verified = entry.manifest, ("? not yet", "dim")
    if entry.problem:
        verified = (f"✘ {entry.problem}", "red")
    elif m.missing:
        verified = (f"✘ not complete: {', '.join(f'{one.service}: {one.name}' for one in m.missing)}", "red")
    elif entry.verified:
        what, style = ("restored and tested", "green") if entry.verified.restored else ("hashes only", "yellow")
        verified = (f"✔ {what}, {age(entry.verified.at)} ago", style)
    services = ", ".join(m.services)
    return (
        entry.name,
        m.project or "?",
        age(m.created_at),
        terminal.size(m.bytes),
        m.engine,
        m.lock[:16],
        verified,
        services,
    )


def age(moment: str) -> str:
    try:
        seconds = int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    except (ValueError, TypeError):
        return "?"
    return next((f"{seconds // unit} {word}" for unit, word in AGES if seconds >= unit), f"{seconds} s")


def previewed(report: Preview) -> None:
    """What is replaced by what, before anybody is asked."""
    _missing(report.manifest)
    for change in report.changes:
        if change.refused:
            terminal.say(f"{change.service}: keeps its data: {change.refused}", style="yellow")
        else:
            restored = f"{change.restored} of {report.manifest.created_at} ({terminal.size(change.bytes)} compressed)"
            current = f"{change.current} will be replaced by" if change.current else "has no data; gets"
            terminal.say(f"{change.service}: {current} {restored}")
    if report.replaces_secrets:
        terminal.say("the project: all secrets will be replaced, and the settings that are in the backup")
    if report.other_secrets:
        text = "this backup was made with other secrets: data that is encrypted or hashed with them needs --secrets"
        terminal.say(f"warning: {text}", style="yellow")


def seed_planned(plan: SeedPlan) -> None:
    """What a project would get of another one."""
    how = f"from its backup {plan.backup} ({age(plan.created_at)} ago)" if plan.backup else "by copying its volumes"
    terminal.say(f"the data of {plan.source} ({plan.directory}) {how}, with its secrets:")
    for service, what in plan.taken.items():
        terminal.say(f"  {service}: {what}")
    if plan.settings:
        terminal.say(f"  settings: {', '.join(plan.settings)}")
    for service, reason in plan.left_out.items():
        terminal.say(f"  not {service}: {reason}", style="yellow")


def seeded(report: SeedReport) -> None:
    plan = report.plan
    how = f"from its backup {plan.backup} ({age(plan.created_at)} ago)" if plan.backup else "copied from its volumes"
    services = ", ".join(plan.taken)
    terminal.say(f"has the data of {plan.source}, {how}: {services} ({report.seconds:.1f} s)", style="green")


def restored(report: RestoreReport, *, as_json: bool) -> None:
    if report.restored:
        terminal.say(f"restored: {', '.join(report.restored)} ({report.seconds:.1f} s)", style="green")
    _not_restored(report.not_restored)
    for service, reason in report.replaced.items():
        terminal.say(f"has the data of the backup: {service}, but: {reason}", style="red")
    for service, what in report.kept.items():
        terminal.say(f"a copy of the data from before is kept: {service}: {what}", style="yellow")
    if as_json:
        _document("restore", report)
    terminal.say("next: arcctl verify")


def _not_restored(services: dict[str, str]) -> None:
    for service, reason in services.items():
        terminal.say(f"not restored: {service}: {reason}", style="red")


def verified(report: VerifyReport, *, as_json: bool) -> None:
    verdicts = report.report.services if report.report else ()
    if verdicts and not as_json:
        terminal.table(("SERVICE", "OUTCOME", "WHAT WAS SHOWN"), [_verdict(v) for v in verdicts])
    for problem in report.damages:
        terminal.say(f"damaged: {problem}", style="red")
    for text in report.missing:
        terminal.say(f"not in this backup: {text}", style="red")
    _not_restored(report.not_restored)
    if report.hashes_only:
        why = "cannot run twice on this machine, so only the hashes of their files were compared"
        terminal.say(f"{', '.join(report.hashes_only)}: {why}", style="yellow")
    if as_json:
        fields = {k: v for k, v in document.plain(report).items() if k != "report"}
        services = [{"name": v.name, "outcome": v.outcome, "reason": v.reason} for v in verdicts]
        _document("verify", fields, passed=report.passed, restored=report.report is not None, services=services)
    how = "restored in a sandbox, and tested there" if report.report else "every file is as it was written"
    text, style = terminal.word("ok" if report.passed else "bad")
    terminal.say(f"{text}: {report.name}: {how if report.passed else 'do not rely on it'}", style=style)


def _verdict(verdict: Verdict) -> tuple[tuple[str, str] | str, ...]:
    """A service without a smoke test was restored all the same."""
    if verdict.outcome is Outcome.SKIPPED:
        return (verdict.name, ("✔ answers", "green"), "answers its probe with the restored data")
    return checks.verify_row(verdict)


def _document(verb: str, report: object, **more: object) -> None:
    terminal.line(document.text(f"arcctl.backup-{verb}/v1", report, **more))


def _manifest(manifest: Manifest) -> dict[str, Any]:
    return {**document.plain(manifest), "format": SCHEMA, "services": manifest.services, "bytes": manifest.bytes}
