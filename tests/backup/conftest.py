"""Passphrases that cost nothing, except in a test that asks for real ones."""

from __future__ import annotations

import pytest

from tests.fakes.backups import cheapen_passphrases


@pytest.fixture
def real_passphrases() -> None:
    """Asks for the passphrases of age."""


@pytest.fixture(autouse=True)
def cheap_passphrases(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "real_passphrases" not in request.fixturenames:
        cheapen_passphrases(monkeypatch)
