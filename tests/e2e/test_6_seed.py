"""A project starts with the data of another one, and the other one keeps it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl import services
from arcctl.engines.embedded import location
from arcctl.model.env import variables
from tests.e2e.clients import redis_client, superuser
from tests.e2e.driver import Done, Platform, eventually

SERVERS = ("postgres", "redis")
SHIFTS = {"shop": 12_000, "feature": 13_500}
"""Added to the ports of each project; all of them stay below the ephemeral ports."""
BIG = 300_000
"""Rows that take a copy long enough to be killed in the middle."""

Projects = Callable[[str], Platform]


def _ports(shift: int) -> dict[str, str]:
    ports = [v for c in services.load().components().values() for v in variables(c.env) if v.name.endswith("_PORT")]
    return {v.name: str(int(str(v.default)) + shift) for v in ports}


@pytest.fixture(params=["engine", "embedded"])
def projects(request: pytest.FixtureRequest) -> Iterator[Projects]:
    """New projects by name on one of the engines, with ports of their own and nothing started."""
    local = request.param == "embedded"
    environment = {**os.environ, "ARCCTL_ENGINE": "embedded"} if local else request.getfixturevalue(request.param)
    with tempfile.TemporaryDirectory(prefix="arc-seed-") as folder, contextlib.ExitStack() as stack:

        def project(name: str) -> Platform:
            directory = Path(folder) / name
            directory.mkdir()
            own = {**environment, "XDG_DATA_HOME": f"{folder}/data", **_ports(SHIFTS[name])}
            made = Platform(directory, own, SHIFTS[name])
            made.arcctl("init").ok()
            stack.callback(made.arcctl, "clean", "--yes")
            return made

        yield project


@pytest.fixture
def shop(projects: Projects) -> Platform:
    """A project with two servers that run and have data."""
    found = projects("shop")
    found.arcctl("up", *SERVERS).ok()
    _write(found, "first")
    return found


def _write(platform: Platform, word: str) -> None:
    redis_client(platform).set("word", word)
    with superuser(platform) as admin:
        admin.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        admin.execute("DELETE FROM words")
        admin.execute("INSERT INTO words VALUES (%s)", [word])


def _read(platform: Platform) -> set[str]:
    with superuser(platform) as admin:
        (found,) = admin.execute("SELECT word FROM words").fetchone()
    return {found, redis_client(platform).get("word")}


def _seed(platform: Platform, *words: str) -> Done:
    return platform.arcctl("up", *SERVERS, "--seed-from", "shop", *words)


def _green(platform: Platform) -> bool:
    return eventually(lambda: {s["status"] for s in platform.health(*SERVERS)["services"]} == {"healthy"}, 20)


def test_it_comes_from_the_newest_backup_of_a_project_that_runs(shop: Platform, projects: Projects) -> None:
    name = shop.arcctl("backup", "create").ok().out.strip()
    _write(shop, "since the backup")
    feature = projects("feature")
    own = feature.secrets()["POSTGRES_PASSWORD"]
    planned = _seed(feature, "--dry-run").ok()
    assert f"from its backup {name}" in planned.err
    assert feature.secrets()["POSTGRES_PASSWORD"] == own
    done = _seed(feature).ok()
    assert not [s for s in shop.secrets().values() if s in planned.out + planned.err + done.out + done.err]
    assert (_read(feature), _read(shop)) == ({"first"}, {"since the backup"})
    assert _green(feature)
    again = _seed(feature)
    assert again.code != 0
    assert "this project has data already" in again.err
    _write(feature, "of the feature")
    assert (_read(feature), _read(shop)) == ({"of the feature"}, {"since the backup"})


def test_without_a_backup_it_is_copied_while_the_other_is_down(shop: Platform, projects: Projects) -> None:
    feature = projects("feature")
    refused = _seed(feature)
    assert refused.code != 0
    assert "hint: arcctl -p shop backup create, or stop it while they are copied: arcctl -p shop down" in refused.err
    shop.arcctl("down").ok()
    _seed(feature).ok()
    assert _read(feature) == {"first"}
    assert _green(feature)
    _write(feature, "of the feature")
    shop.arcctl("up", *SERVERS).ok()
    assert (_read(feature), _read(shop)) == ({"of the feature"}, {"first"})


def test_one_that_was_killed_in_the_middle_starts_nothing_and_is_run_again(shop: Platform, projects: Projects) -> None:
    with superuser(shop) as admin:
        admin.execute(f"CREATE TABLE big AS SELECT n, md5(n::text) FROM generate_series(1, {BIG}) n")
    shop.arcctl("down").ok()
    feature = projects("feature")
    child = feature.start("up", *SERVERS, "--seed-from", "shop")
    assert eventually(lambda: _volumes(feature), 60)
    child.kill()
    child.communicate(timeout=60)
    refused = feature.arcctl("up", *SERVERS)
    assert refused.code != 0
    assert "the data of shop was not copied to its end" in refused.err
    _seed(feature).ok()
    assert _read(feature) == {"first"}
    with superuser(feature) as admin:
        assert admin.execute("SELECT count(*) FROM big").fetchone() == (BIG,)


def _volumes(platform: Platform) -> bool:
    if platform.embedded:
        return any(location.base(platform.directory).glob("data/*"))
    return bool(platform.docker("volume", "ls", "-q", "--filter", "label=com.docker.compose.project=feature"))


@pytest.mark.parametrize("projects", ["engine"], indirect=True)  # the other way round it is the same
def test_what_only_fits_the_engine_of_the_other_project_is_left_out_by_name(shop: Platform, projects: Projects) -> None:
    shop.arcctl("backup", "create").ok()
    feature = projects("feature")
    local = replace(feature, environment={**feature.environment, "ARCCTL_ENGINE": "embedded"})
    try:
        done = _seed(local).ok()
        assert "redis starts without data of shop: its volume was copied on the docker engine" in done.err
        with superuser(local) as admin:
            assert admin.execute("SELECT word FROM words").fetchone() == ("first",)
        assert redis_client(local).get("word") is None
    finally:
        local.arcctl("clean", "--yes").ok()


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(("git", *who, *words), cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("git"), reason="no git here")
def test_a_worktree_is_a_project_of_its_own_and_git_sees_nothing_of_it(shop: Platform) -> None:
    """Also one in the folder of the main checkout."""
    _git(shop.directory, "init", "-q")
    _git(shop.directory, "add", "--all")
    _git(shop.directory, "commit", "-qm", "all of it")
    folder = shop.directory / "trees" / "feature"
    _git(shop.directory, "worktree", "add", "-q", str(folder))
    own = {**shop.environment, **_ports(SHIFTS["feature"])}
    feature = Platform(folder, own, SHIFTS["feature"])
    try:
        feature.arcctl("init").ok()
        feature.arcctl("up", "redis").ok()
        names = [json.loads((p.directory / ".arcctl" / "project.json").read_text())["name"] for p in (shop, feature)]
        assert names == ["shop", "feature"]
        redis_client(feature).set("word", "of the feature")
        assert redis_client(shop).get("word") == "first"
        assert feature.secrets()["REDIS_PASSWORD"] != shop.secrets()["REDIS_PASSWORD"]
        assert _git(folder, "status", "--porcelain") == ""
        assert _git(shop.directory, "status", "--porcelain") == "?? trees/\n"
    finally:
        feature.arcctl("clean", "--yes").ok()
