"""Three projects beside each other, two of them worktrees of one repository: a minute to read, less to run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.e2e.driver import Platform

SERVICES = ("redis", "nats")


@pytest.fixture(params=["embedded", pytest.param("docker", marks=pytest.mark.docker)])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder; the environment names the engine, and no project, directory or port."""
    if request.param == "docker":
        for name, value in request.getfixturevalue("engine").items():
            monkeypatch.setenv(name, value)
    else:
        monkeypatch.setenv("ARCCTL_ENGINE", "embedded")
    folder = Path(tempfile.mkdtemp(prefix="arc-three-"))
    folder.chmod(0o755)
    yield folder
    for directory in ("shop", "feature", "notes"):
        Platform(folder / directory, os.environ).arcctl("clean", "--yes")
    shutil.rmtree(folder)


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(("git", *who, *words), cwd=folder, capture_output=True, text=True, check=True).stdout


def _cache(project: Platform) -> redis.Redis:
    return redis.Redis.from_url(project.variables("redis")["REDIS_URL"], decode_responses=True)


def _listed(project: Platform) -> dict[str, str]:
    """The state of each project, by its name."""
    document = json.loads(project.arcctl("projects", "--json").ok().out)
    return {found["name"]: found["state"] for found in document["projects"]}


@pytest.mark.skipif(not shutil.which("git"), reason="no git here")
def test_three_projects_run_beside_each_other(folder: Path) -> None:
    shop, feature, notes = (Platform(folder / name, dict(os.environ)) for name in ("shop", "feature", "notes"))
    for project in (shop, notes):
        project.directory.mkdir(mode=0o755)
        project.arcctl("init").ok()
    _git(shop.directory, "init", "-q")
    _git(shop.directory, "add", "--all")
    _git(shop.directory, "commit", "-qm", "a platform")
    _git(shop.directory, "worktree", "add", "-q", str(feature.directory))
    feature.arcctl("init").ok()

    starting = [project.start("up", *SERVICES) for project in (shop, feature, notes)]
    said = [child.communicate(timeout=300)[1] for child in starting]
    assert [child.returncode for child in starting] == [0, 0, 0], said

    for project in (shop, feature, notes):
        _cache(project).set("whose", project.directory.name)
    for project in (shop, feature, notes):
        assert project.health(*SERVICES)["status"] == "healthy"
        assert _cache(project).get("whose") == project.directory.name
    assert _git(feature.directory, "status", "--porcelain") == ""
    listed = _listed(notes)
    assert [listed[name] for name in ("shop", "feature", "notes")] == ["running"] * 3

    feature.arcctl("clean", "--yes").ok()

    assert _listed(shop)["feature"] == "empty"
    for project in (shop, notes):
        assert project.health(*SERVICES)["status"] == "healthy"
        assert _cache(project).get("whose") == project.directory.name
