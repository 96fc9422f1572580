"""Backups for a person, or as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from arcctl.core.backup import SCHEMA, Entry, Manifest
from arcctl.ui import terminal

if TYPE_CHECKING:
    from arcctl.core.backup_results import Checked, Created, Preview, Restored
    from arcctl.core.proof import Verdict

_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_AGES = ((86400, "d"), (3600, "h"), (60, "min"))


def created(result: Created, json_: bool) -> None:
    """The name is the datum: it goes to stdout."""
    held(result.name, result.manifest)
    terminal.say(f"backup {result.name} is whole ({result.seconds:.1f} s)", style="green")
    if result.down:
        terminal.say(f"do not answer again: {', '.join(result.down)}; arcctl up", style="red")
    terminal.say(f"next: arcctl backup verify {result.name}")
    if json_:
        _document("create", name=result.name, down=result.down, **_manifest(result.manifest))
    else:
        terminal.line(result.name)


def held(name: str, manifest: Manifest) -> None:
    """What a backup holds, in one line."""
    terminal.say(f"{name}: {', '.join(manifest.services)} of the {manifest.engine} engine, {size(manifest.bytes)}")


def listed(entries: Iterable[Entry], json_: bool) -> None:
    if json_:
        items = [{"name": e.name, "problem": e.problem, **_state(e)} for e in entries]
        _document("list", backups=items)
        return
    rows = [_row(entry) for entry in entries]
    if not rows:
        terminal.say("no backups yet; arcctl backup create")
        return
    terminal.table(("NAME", "AGE", "SIZE", "ENGINE", "OPENS WITH", "VERIFIED", "SERVICES"), rows)


def _state(entry: Entry) -> dict[str, Any]:
    verified = asdict(entry.verified) if entry.verified else None
    return {**_manifest(entry.manifest), "verified": verified} if entry.manifest else {}


def _row(entry: Entry) -> tuple[tuple[str, str] | str, ...]:
    if not entry.manifest:
        return (entry.name, "", "", "", "", (f"✘ {entry.problem}", "red"), "")
    m, verified = entry.manifest, ("? not yet", "dim")
    if entry.verified:
        verified = ("✔ restored and proved", "green") if entry.verified.restored else ("✔ hashes only", "yellow")
    return (entry.name, age(m.created_at), size(m.bytes), m.engine, m.lock[:16], verified, ", ".join(m.services))


def preview(plan: Preview) -> None:
    """What goes and what comes, before anybody is asked."""
    for change in plan.changes:
        if change.refused:
            terminal.say(f"{change.service}: stays as it is: {change.refused}", style="yellow")
        else:
            comes = f"{change.comes} of {plan.manifest.created_at} ({size(change.bytes)} packed)"
            goes = f"{change.there} will be replaced by" if change.there else "nothing is there;"
            terminal.say(f"{change.service}: {goes} {comes}")
    if plan.replaces_secrets:
        terminal.say("the home: all secrets, and the settings that the backup has, will be replaced by its own")
    if plan.strange_secrets:
        text = "made with other secrets than this home has: what is encrypted or hashed with them needs --secrets"
        terminal.say(f"warning: {text}", style="yellow")


def restored(result: Restored, json_: bool) -> None:
    if result.services:
        terminal.say(f"restored: {', '.join(result.services)} ({result.seconds:.1f} s)", style="green")
    for service, reason in result.kept.items():
        terminal.say(f"not restored: {service}: {reason}", style="red")
    if json_:
        _document("restore", restored=result.services, kept=result.kept, files=result.files)
    terminal.say("next: arcctl verify")


def _document(verb: str, **fields: Any) -> None:
    terminal.line(json.dumps({"schema": f"arcctl.backup-{verb}/v1", **fields}, indent=2))


def _manifest(manifest: Manifest) -> dict[str, Any]:
    return {**asdict(manifest), "format": SCHEMA, "services": manifest.services, "bytes": manifest.bytes}


def size(count: int) -> str:
    for unit, word in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {word}"
    return f"{count} B"


def age(moment: str) -> str:
    try:
        seconds = int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    except (ValueError, TypeError):
        return "?"
    for unit, word in _AGES:
        if seconds >= unit:
            return f"{seconds // unit} {word}"
    return f"{seconds} s"


def verified(result: Checked, json_: bool) -> None:
    from arcctl.core.proof import Outcome
    from arcctl.ui import verify

    if result.report and not json_:
        rows = [_answers(v) if v.outcome is Outcome.SKIPPED else verify.row(v) for v in _verdicts(result)]
        terminal.table(("SERVICE", "OUTCOME", "WHAT WAS SHOWN"), rows)
    for problem in result.damages:
        terminal.say(f"damaged: {problem}", style="red")
    for service, reason in result.kept.items():
        terminal.say(f"not restored: {service}: {reason}", style="red")
    if result.left_out:
        why = "cannot run twice on this machine, so only their files were compared"
        terminal.say(f"{', '.join(result.left_out)}: {why}", style="yellow")
    if json_:
        services = [{"name": v.service, "outcome": v.outcome, "reason": v.reason} for v in _verdicts(result)]
        _document(
            "verify",
            name=result.name,
            passed=result.passed,
            restored=result.report is not None,
            damages=result.damages,
            kept=result.kept,
            left_out=result.left_out,
            services=services,
        )
    how = "restored beside what runs, and proved" if result.report else "every file is as it was written"
    text, style = terminal.word("ok" if result.passed else "bad")
    terminal.say(f"{text}: {result.name}: {how if result.passed else 'do not rely on it'}", style=style)


def _answers(verdict: Verdict) -> tuple[tuple[str, str] | str, ...]:
    """One that declares no proof was restored all the same."""
    return (verdict.service, ("✔ answers", "green"), "answers its probe with the restored data")


def _verdicts(result: Checked) -> tuple[Verdict, ...]:
    return result.report.services if result.report else ()
