"""First-run set-up as data: what a service has to hold before anyone can use it. `runtime.proving` carries it out.

Texts may hold what `core.proof` says, and each setting that a server tells once (`env.told`) by its field's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from arcctl.core.proof import Proof


@dataclass(frozen=True, kw_only=True)
class Resource:
    """An account, a token, a database, a stream: looked for first, made only where it is missing."""

    name: str
    look: Proof
    """Holds where the resource is there and is as it should be."""
    make: tuple[Proof, ...] = ()
    """One after the other, from any state; empty where nothing but the server's own first start makes it."""
    hint: str
    """What a person does where it cannot be made."""
    destroy: tuple[Proof, ...] = ()
    """What takes it away, with all that is in it, when its service is removed with its data."""


class State(StrEnum):
    THERE = "there"
    MADE = "made"
    MISSING = "missing"
    """It was only looked for."""
    REFUSED = "refused"
    """It is not there, and the server did not let it be made."""
    SKIPPED = "skipped"
    """Its service does not run."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of one resource."""

    service: str
    resource: str
    state: State
    ms: int = 0
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was set up. `passed` holds when everything that should be there is."""

    passed: bool
    engine: str
    duration_ms: int
    found: tuple[Found, ...] = field(default=())

    @property
    def summary(self) -> dict[str, int]:
        return {state.value: sum(f.state is state for f in self.found) for state in State}
