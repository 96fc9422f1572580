"""Secrets without their values: what there is, and what a rotation would do and did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from arcctl.core.rotation import Secret, Step
from arcctl.ui import terminal

SCHEMA = "arcctl.secrets/v1"
PLAN = "arcctl.secrets-rotate/v1"


class Entry(Protocol):
    """What `secrets list` tells of one secret."""

    @property
    def secret(self) -> Secret: ...
    @property
    def origin(self) -> str: ...
    @property
    def changed(self) -> str: ...
    @property
    def fixed(self) -> str: ...
    @property
    def hint(self) -> str: ...


def show(entries: Iterable[Entry]) -> None:
    rows = [(e.secret.name, e.secret.owner, ", ".join(e.secret.users), e.origin, _day(e), _way(e)) for e in entries]
    terminal.table(("SECRET", "SERVICE", "USED BY", "COMES FROM", "CHANGED", "ROTATION"), rows)


def _day(entry: Entry) -> str:
    return entry.changed.partition("T")[0] or "-"


def _way(entry: Entry) -> tuple[str, str]:
    if entry.fixed:
        return (f"✘ no: {entry.fixed}", "yellow")
    restarts = ", ".join(entry.secret.restarts)
    return (f"✔ yes, restarts {restarts}" if restarts else "✔ yes, restarts nothing", "green")


def show_json(entries: Iterable[Entry]) -> None:
    items = [
        {
            "name": e.secret.name,
            "service": e.secret.owner,
            "users": list(e.secret.users),
            "containers": list(e.secret.containers),
            "restarts": list(e.secret.restarts),
            "origin": e.origin,
            "changed": e.changed or None,
            "rotation": not e.fixed,
            "reason": e.fixed,
            "hint": e.hint,
        }
        for e in entries
    ]
    terminal.line(json.dumps({"schema": SCHEMA, "secrets": items}, indent=2))


def plan(steps: Mapping[str, Sequence[Step]], warnings: Mapping[str, str]) -> Iterable[str]:
    """The lines of a plan."""
    for name, some in steps.items():
        yield f"{name}:" + (f" {warnings[name]}" if name in warnings else "")
        yield from (f"  {step}" for step in some)


def plan_json(steps: Mapping[str, Sequence[Step]], warnings: Mapping[str, str]) -> None:
    items = [
        {
            "name": name,
            "warning": warnings.get(name, ""),
            "steps": [{"action": s.action.value, "targets": list(s.targets), "cause": s.cause} for s in some],
        }
        for name, some in steps.items()
    ]
    terminal.line(json.dumps({"schema": PLAN, "secrets": items}, indent=2))
