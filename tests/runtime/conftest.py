"""A program named `docker` that a test tells what to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_docker import FakeDocker


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    fake = FakeDocker(tmp_path / "bin")
    monkeypatch.setenv("PATH", fake.path)
    return fake
