"""One point of the checklist: what was measured, what that means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Mode:
    """Give a file or folder of the project this mode."""

    path: str
    mode: int


@dataclass(frozen=True)
class Leftover:
    """Remove what an interrupted command left; nothing refers to it."""

    path: str


@dataclass(frozen=True)
class EnvLink:
    """Link the file of settings to where plain `docker compose` looks."""

    path: str


@dataclass(frozen=True)
class Aside:
    """Rename a damaged file that arcctl does without."""

    path: str


Repair = Mode | Leftover | EnvLink | Aside
"""What `doctor --fix` may do: safe, reversible, and never to data."""


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    id: str
    """Stable: programs may rely on it."""
    state: State
    evidence: str
    """The measured value."""
    fix: str = ""
    """The exact command or change that helps."""
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    engine: str
    diagnoses: tuple[Diagnosis, ...]
    repaired: tuple[str, ...] = ()
    """What `--fix` did."""

    @property
    def passed(self) -> bool:
        return all(diagnosis.state is not State.PROBLEM for diagnosis in self.diagnoses)

    @property
    def summary(self) -> Mapping[str, int]:
        return {state.value: sum(d.state is state for d in self.diagnoses) for state in State}


def ok(id: str, evidence: str) -> Diagnosis:
    return Diagnosis(id=id, state=State.OK, evidence=evidence)


def unknown(id: str, evidence: str, fix: str = "") -> Diagnosis:
    return Diagnosis(id=id, state=State.UNKNOWN, evidence=evidence, fix=fix)


def warn(id: str, evidence: str, fix: str, when: object = True, repairs: tuple[Repair, ...] = ()) -> Diagnosis:
    """A warning; ok, with the same evidence, where `when` is false or empty."""
    return Diagnosis(id=id, state=State.WARN, evidence=evidence, fix=fix, repairs=repairs) if when else ok(id, evidence)


def problem(id: str, evidence: str, fix: str, when: object = True, repairs: tuple[Repair, ...] = ()) -> Diagnosis:
    """A problem; ok, with the same evidence, where `when` is false or empty."""
    return replace(warn(id, evidence, fix, repairs=repairs), state=State.PROBLEM) if when else ok(id, evidence)
