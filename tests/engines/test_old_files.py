"""Files of the embedded engine under the names that they once had are still read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl.engines.embedded import engine as embedded
from arcctl.engines.embedded import location
from arcctl.engines.embedded.location import OLD_OWNER, OWNER, owner
from arcctl.model.binaries import OnPath
from arcctl.model.service import Process
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import STORE, StoreEnv, catalogue


@pytest.mark.parametrize("name", [OWNER, OLD_OWNER])
def test_the_owner_of_the_files_is_read(tmp_path: Path, name: str) -> None:
    assert owner(tmp_path) == ""
    (tmp_path / name).write_text("/srv/platform\n")
    assert owner(tmp_path) == "/srv/platform"


@pytest.mark.parametrize("name", [embedded.RECORD, embedded.OLD_RECORD])
def test_a_process_that_was_started_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(location, "base", lambda directory: tmp_path / "base")
    monkeypatch.setenv("ARCCTL_CACHE", str(tmp_path / "cache"))
    process: Process[StoreEnv] = Process(sources=(OnPath(name="sh", program="sh"),), command=lambda env: ("{program}",))
    store = replace(STORE, process=process)
    engine = embedded.EmbeddedEngine(catalogue(store), ProjectDirectory(tmp_path))
    assert engine.observe().containers == {}
    record = tmp_path / "base" / "run" / "store" / name
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"hash": "h", "artifact": "a", "version": "1"}))
    found = engine.observe().containers["store"]
    assert (found.state, found.config_hash, found.image_id, found.version) == ("dead", "h", "a", "1")
