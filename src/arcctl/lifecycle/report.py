"""What the commands of this package report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from arcctl.engines.base import Observed
from arcctl.lifecycle.plan import Plan
from arcctl.model.resource import ResourceResult, State


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the containers of a plan."""

    ready: tuple[str, ...]
    failed: dict[str, str]
    """Containers that will not become ready, with the reason."""
    waiting: dict[str, str]
    """Containers that were not ready in time, with the last reason."""
    seconds: float
    stubs: tuple[str, ...] = ()
    """Containers that are stubs and not the real servers."""
    observed: Observed = field(default_factory=lambda: Observed({}), repr=False)
    """The engine as it was last seen."""


@dataclass(frozen=True)
class UpReport:
    plan: Plan
    outcome: Outcome | None
    """None when nothing was done."""
    left_out: tuple[str, ...]
    """Services that were asked for by a layer's name and are not available on this engine."""
    resources: tuple[ResourceResult, ...] = ()
    """What was set up in services that are new."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """By variable: those that were chosen for these services, because the default ones were not free."""

    @property
    def passed(self) -> bool:
        return self.outcome is None or not (self.outcome.failed or self.outcome.waiting)


@dataclass(frozen=True)
class RestartReport:
    restarted: tuple[str, ...]
    """Containers."""
    up: UpReport | None = None
    """None where nothing existed that could be restarted."""


@dataclass(frozen=True, kw_only=True)
class ListedContainer:
    """A container or process as the engine sees it."""

    name: str
    state: str
    health: str
    """What the healthcheck inside says; empty where there is none."""
    image: str
    ports: Mapping[int, int]
    """Published host port of each container port."""


@dataclass(frozen=True)
class PsReport:
    containers: tuple[ListedContainer, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The containers of each service that cannot run on this engine, has none, and was not named."""


@dataclass(frozen=True, kw_only=True)
class InitReport:
    directory: Path
    generated: tuple[str, ...]
    """Names of secrets."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """By variable: those that were chosen, because the default ones were not free."""


@dataclass(frozen=True, kw_only=True)
class BootstrapReport:
    """`passed` where every resource exists, in services that run."""

    passed: bool
    engine: str
    duration_ms: int
    resources: tuple[ResourceResult, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        return {state.value: sum(f.state is state for f in self.resources) for state in State}
