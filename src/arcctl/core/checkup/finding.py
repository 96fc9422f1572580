"""One point of the checklist: what was measured, what that means, and the exact way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Mode:
    """Give a file or folder of the home this mode."""

    path: str
    mode: int


@dataclass(frozen=True)
class Leftover:
    """Remove what an interrupted command of ours left; nothing refers to it."""

    path: str


@dataclass(frozen=True)
class EnvLink:
    """Link what Compose interpolates to where plain `docker compose` looks."""

    path: str


Mend = Mode | Leftover | EnvLink
"""What `doctor --fix` may do: safe, reversible, and never to data."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    id: str
    """Stable: programs may rely on it."""
    state: State
    evidence: str
    """The measured value."""
    fix: str = ""
    """The exact command or change that helps."""
    mends: tuple[Mend, ...] = ()


def fine(id: str, evidence: str) -> Finding:
    return Finding(id=id, state=State.OK, evidence=evidence)


def unknown(id: str, evidence: str, fix: str = "") -> Finding:
    return Finding(id=id, state=State.UNKNOWN, evidence=evidence, fix=fix)


def judged(id: str, bad: State, evidence: str, *, wrong: object, fix: str) -> Finding:
    """`bad` with its fix where something is wrong, else ok."""
    return Finding(id=id, state=bad, evidence=evidence, fix=fix) if wrong else fine(id, evidence)
