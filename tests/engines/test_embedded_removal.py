"""What the embedded engine removes is gone afterwards, or it says what is left."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from arcctl.engines.embedded import location
from arcctl.engines.embedded.engine import EmbeddedEngine
from arcctl.errors import ProjectError
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import TOY


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedEngine:
    """With the files of one process and its volume."""
    monkeypatch.setattr(location, "base", lambda directory: tmp_path / "base")
    monkeypatch.setenv("ARCCTL_CACHE", str(tmp_path / "cache"))
    for folder in ("run/store", "data/store_data"):
        (tmp_path / "base" / folder).mkdir(parents=True)
    return EmbeddedEngine(TOY, ProjectDirectory(tmp_path))


def test_a_process_and_its_volume_are_removed_also_where_one_of_them_is_gone(engine: EmbeddedEngine) -> None:
    assert engine.volumes() == ("store_data",)
    for _ in range(2):
        engine.remove(["store"], ["store_data"])
        assert engine.volumes() == ()


def test_a_volume_that_cannot_be_removed_is_named(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(path: Path, **options: object) -> None:
        if not options.get("ignore_errors"):
            raise OSError(errno.EBUSY, "Device or resource busy", str(path))

    monkeypatch.setattr(shutil, "rmtree", busy)
    with pytest.raises(ProjectError, match="data/store_data: device or resource busy"):
        engine.remove([], ["store_data"])
