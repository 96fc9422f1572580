"""The report of `verify`: what each smoke test did, step by step."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from enum import StrEnum

from arcctl.model.smoke_test import Step


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It does not run, or has no smoke test that runs without other services."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    name: str
    outcome: Outcome
    stub: bool
    reason: str = ""
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """`passed` holds when every service that should run passed its smoke tests."""

    passed: bool
    started_at: str
    duration_ms: int
    engine: str
    services: tuple[Verdict, ...]

    @property
    def summary(self) -> dict[str, int]:
        return {o.value: sum(v.outcome is o for v in self.services) for o in Outcome}

    def skipped(self, unavailable: Container[str], named: Container[str]) -> tuple[str, ...]:
        """The services that people need not see: those that cannot run on this engine, without those named."""
        found = (v.name for v in self.services if v.outcome is Outcome.SKIPPED and v.name in unavailable)
        return tuple(name for name in found if name not in named)

    def without(self, left_out: Container[str]) -> Report:
        return replace(self, services=tuple(v for v in self.services if v.name not in left_out))

    @property
    def stubs(self) -> tuple[str, ...]:
        return tuple(v.name for v in self.services if v.stub)


def judge(service: str, steps: tuple[Step, ...], *, stub: bool, absent: str) -> Verdict:
    """The verdict from the steps that concern a service; `absent` says why there are none."""
    mine = tuple(s for s in steps if service in (s.owner, s.service))
    failed = next((s for s in mine if not s.ok), None)
    if failed:
        at = f" at {failed.service}" if failed.service != service else ""
        reason, outcome = f"{failed.name}{at}: {failed.message}", Outcome.FAILED
    elif mine and not absent:
        reason, outcome = "", Outcome.PASSED
    else:
        reason, outcome = absent or "has no smoke test", Outcome.SKIPPED
    return Verdict(name=service, outcome=outcome, stub=stub, steps=mine, reason=reason)
