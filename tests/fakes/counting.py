"""Counts how often the settings are resolved and the engine is observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from arcctl.engines.base import Observed
from arcctl.settings.resolve import Settings, resolve
from tests.fakes.toy import FakeEngine


@dataclass
class Counts:
    resolved: int = 0
    observed: int = 0

    def reset(self) -> None:
        self.resolved = self.observed = 0


def counting(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Count from now on, for every project and every fake engine."""
    counts, observe = Counts(), FakeEngine.observe

    def counted_resolve(*sources: Any, **options: Any) -> Settings:
        counts.resolved += 1
        return resolve(*sources, **options)

    def counted_observe(engine: FakeEngine) -> Observed:
        counts.observed += 1
        return observe(engine)

    monkeypatch.setattr("arcctl.project.resolve", counted_resolve)
    monkeypatch.setattr(FakeEngine, "observe", counted_observe)
    return counts
