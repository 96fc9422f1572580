"""Fakes answer at once, so there is nothing to be patient for between two looks."""

from __future__ import annotations

import pytest

from arcctl.app import launch


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "PAUSE", 0.001)
