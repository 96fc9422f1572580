"""A project that an earlier arcctl wrote is read whole: its files move to the names of today, and none gets lost.

`old_project` was written by the program as it was before its files were renamed; all secrets in it are invented.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from arcctl.backup.clients.repository import BackupRepository
from arcctl.custom.files import load
from arcctl.lifecycle import data_versions
from arcctl.model.image import STUB, Locked
from arcctl.model.rotation import Change
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.migrate import MOVED

OLD = Path(__file__).parent / "old_project"
NATS = "invented0value1invented0value1invented0valu"


@pytest.fixture
def old(tmp_path: Path) -> ProjectDirectory:
    shutil.copytree(OLD, tmp_path / "project")
    return ProjectDirectory(tmp_path / "project")


@pytest.fixture
def moved(old: ProjectDirectory) -> ProjectDirectory:
    old.migrate()
    return old


def _texts(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_every_file_is_there_under_its_new_name_with_its_content(moved: ProjectDirectory) -> None:
    expected = {MOVED.get(name, name): text for name, text in _texts(OLD).items()}
    prometheus = "config/prometheus/prometheus.yml"
    expected[prometheus] = expected[prometheus].replace("- own.yml", "- custom.yml")
    assert _texts(moved.root) == expected
    assert set(MOVED) <= set(_texts(OLD))


def test_secrets_settings_and_the_rotation_in_progress_stay(moved: ProjectDirectory) -> None:
    assert moved.secrets() == ProjectDirectory(OLD).secrets()
    assert len(moved.secrets()) == len(moved.secret_changes()) == 23
    assert moved.rotation() == (
        Change(name="REDIS_PASSWORD", old="invented-old-value-of-redis", new=NATS, done=True),
        Change(name="NATS_PASSWORD", old=NATS, new="invented-new-value-of-nats"),
    )
    assert {s.origin: s.values["REDIS_HOST_PORT"] for s in moved.sources(["redis"]) if s.owner} == {
        "config/redis/.env": "6380"
    }


def test_what_runs_and_what_it_was_created_with_stays(moved: ProjectDirectory) -> None:
    assert moved.engine() == "docker"
    assert moved.started() == {"redis", "nats", "my-agent"}
    assert moved.bootstrapped() == {"nats"}
    assert moved.input_hashes() == {"arc_redis": "a" * 64, "my-agent": "b" * 64}
    assert moved.note(data_versions.NOTE) == {"postgres": "pgvector/pgvector:0.8.6-pg18-bookworm"}
    assert moved.note("upgrade")["backup"] == "20260131T100000Z"
    assert moved.image_lock() == {
        "redis:8.10.1-alpine": Locked(digest=f"redis@sha256:{'c' * 64}", id=f"sha256:{'d' * 64}")
    }
    assert list(load(moved.root)) == ["my-agent"]


def test_backups_are_listed_and_a_stub_in_them_is_known_by_its_new_word(moved: ProjectDirectory) -> None:
    (entry,) = BackupRepository(moved, lambda text: None).entries()
    assert entry.manifest is not None
    assert (entry.name, entry.manifest.parts[0].server) == ("20260131T100000Z", f"8.10.1 {STUB}")
    assert entry.verified is not None
    assert entry.verified.restored


def test_moving_again_changes_nothing(moved: ProjectDirectory) -> None:
    before = _texts(moved.root)
    moved.migrate()
    assert _texts(moved.root) == before


@pytest.mark.parametrize("newer", ["old", "new"])
def test_the_newer_of_two_files_is_kept(old: ProjectDirectory, newer: str) -> None:
    former, current = (old.state / name for name in ("set-up.json", "bootstrapped.json"))
    current.write_text('["redis"]\n')
    os.utime(former, (2e9, 2e9) if newer == "old" else (1e9, 1e9))
    old.migrate()
    assert old.bootstrapped() == ({"nats"} if newer == "old" else {"redis"})


def test_the_lock_of_a_project_is_the_one_that_an_earlier_arcctl_waits_for(moved: ProjectDirectory) -> None:
    held = moved.acquire()
    assert held is not None
    with held:
        assert (moved.state / "lock").samefile(held.name)
        assert ProjectDirectory(moved.root).acquire() is None


def test_private_files_stay_private(old: ProjectDirectory) -> None:
    for path in old.state.glob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    old.migrate()
    assert {path.stat().st_mode & 0o777 for path in old.state.glob("*.json")} == {0o600}


def test_settings_of_prometheus_that_cannot_be_read_stop_nobody(old: ProjectDirectory) -> None:
    path = old.root / "config/prometheus/prometheus.yml"
    path.write_bytes(b"\xff- own.yml\n")
    old.migrate()
    assert path.read_bytes() == b"\xff- own.yml\n"


OLD_COMPOSE = """\
name: arc
services:
  traefik:
    container_name: arc_traefik
    labels:
      traefik.docker.network: arc
    networks:
    - arc
networks:
  arc:
    name: arc
  socket:
    name: arc_socket
configs:
  a_b:
    content: |
      name: arc
"""
OLD_GATEWAY = """\
  docker:
    constraints: Label(`traefik.docker.network`, `arc`)
    network: arc
"""


def test_files_with_the_one_old_name_get_the_name_of_their_project(tmp_path: Path) -> None:
    compose, gateway = tmp_path / "compose/stack.yaml", tmp_path / "config/traefik/traefik.yml"
    for path, text in ((compose, OLD_COMPOSE), (gateway, OLD_GATEWAY)):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    ProjectDirectory(tmp_path).give_name("shop")
    name = "${ARCCTL_PROJECT_NAME:-arc}"
    before, _, configs = OLD_COMPOSE.partition("configs:")
    changed = before
    for field in ("name: ", "container_name: ", "network: "):
        changed = changed.replace(f"{field}arc", f"{field}{name}")
    assert compose.read_text() == f"{changed}configs:{configs}"
    assert gateway.read_text() == OLD_GATEWAY.replace("`arc`", "`shop`").replace(": arc", ": shop")


def test_files_that_name_the_project_by_a_variable_stay_as_they_are(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "compose", tmp_path / "compose")
    shutil.copytree(Path(__file__).parents[2] / "config/traefik", tmp_path / "config/traefik")
    before = _texts(tmp_path)
    ProjectDirectory(tmp_path).give_name("shop")
    assert _texts(tmp_path) == before
