"""`doctor` with real servers: it finds faults, repairs what is safe, and never changes data."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from arcctl.engines.embedded import accounts, location
from arcctl.engines.embedded.location import OWNER
from tests.e2e.driver import PROGRAM, Platform, eventually

NOT_A_PROBLEM = {"warn", "ok", "unknown"}


def _doctor(platform: Platform, *words: str) -> dict[str, dict[str, Any]]:
    document = json.loads(platform.arcctl("doctor", "--json", *words).out)
    return {diagnosis["id"]: diagnosis for diagnosis in document["diagnoses"]}


@contextlib.contextmanager
def _data(platform: Platform, **files: str) -> Iterator[tuple[Platform, Path]]:
    """A new project with a data folder of Postgres with these files."""
    with platform.new_project() as project:
        folder = location.base(project.directory) / "data" / "postgres_data"
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        try:
            yield project, folder
        finally:
            shutil.rmtree(location.base(project.directory), ignore_errors=True)


def test_a_running_platform_has_no_problem(either: Platform) -> None:
    done = either.arcctl("doctor", "--json").ok()
    document = json.loads(done.out)
    assert document["passed"]
    assert {diagnosis["state"] for diagnosis in document["diagnoses"]} <= NOT_A_PROBLEM
    found = {diagnosis["id"]: diagnosis["evidence"] for diagnosis in document["diagnoses"]}
    assert "initialised" in found["incomplete-volume"]
    assert found["data-version"].endswith("has version 18")


def test_an_incomplete_data_folder_is_a_problem_and_is_not_changed(local: Platform) -> None:
    with _data(local, **{"pg_hba.conf": "interrupted"}) as (project, folder):
        found = _doctor(project, "--fix")["incomplete-volume"]
        assert (found["state"], found["evidence"], found["repairable"]) == (
            "problem",
            "postgres_data has data, but PG_VERSION, global/pg_control, postgresql.conf missing or empty",
            False,
        )
        assert [path.name for path in folder.iterdir()] == ["pg_hba.conf"]


def test_data_of_another_major_version_is_a_problem(local: Platform) -> None:
    with _data(local, PG_VERSION="16\n") as (project, _):
        found = _doctor(project)["data-version"]
        assert found["evidence"] == "postgres_data has data of version 16, postgres is 18"


def test_fix_removes_an_unfinished_data_folder(local: Platform) -> None:
    with _data(local) as (project, folder):
        unfinished = folder.with_suffix(".new")
        (unfinished / "base").mkdir(parents=True)
        assert str(unfinished) in _doctor(project)["unfinished"]["evidence"]
        assert project.arcctl("doctor", "--fix").err.startswith(f"fixed: removed {unfinished}\n")
        assert (unfinished.exists(), folder.exists()) == (False, True)


def test_data_of_a_project_that_is_gone_is_named_and_nothing_proposes_to_destroy_it(local: Platform) -> None:
    if accounts.unprivileged() is None:
        pytest.skip("only root keeps data outside of the project directory")
    with _data(local) as (project, folder):
        (folder.parents[1] / OWNER).write_text("/home/nobody/gone\n")
        found = _doctor(local)["other-projects"]
        assert f"{folder.parents[1]} has the data of /home/nobody/gone, which is gone" in found["evidence"]
        assert "it may be the only copy; to use it in a project that was renamed" in found["fix"]
        assert " rm " not in found["fix"]
        (folder.parents[1] / OWNER).write_text(f"{project.directory}\n")
        assert str(folder.parents[1]) not in _doctor(local)["other-projects"]["evidence"]


def test_data_without_its_secrets_is_a_problem(local: Platform) -> None:
    secrets = local.directory / ".arcctl" / "secrets.env"
    moved = secrets.rename(local.directory / "moved")
    try:
        found = _doctor(local, "--fix")["secrets-lost"]
        assert not secrets.exists()
    finally:
        moved.rename(secrets)
    assert "postgres_data" in found["evidence"]
    assert _doctor(local)["project"]["state"] == "ok"


def test_a_low_limit_of_open_files_is_a_problem(local: Platform) -> None:
    done = subprocess.run(
        ("sh", "-c", f"ulimit -n 512 && exec {PROGRAM} doctor --json"),
        cwd=local.directory,
        env=dict(local.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = [f for f in json.loads(done.stdout)["diagnoses"] if f["id"] == "open-files"]
    assert (found["state"], found["evidence"]) == ("problem", "a process may open 512 files, and raise that to 512")


def test_a_killed_supervisor_is_a_problem_and_up_repairs_it(local: Platform) -> None:
    assert _doctor(local)["supervisor"]["evidence"] == "running"
    pid = int((location.base(local.directory) / "supervisor.pid").read_text())
    psutil.Process(pid).send_signal(signal.SIGKILL)
    found = eventually(lambda: f if (f := _doctor(local)["supervisor"])["state"] == "problem" else None, 10)
    assert found
    assert "servers that are not restarted when they fail" in found["evidence"]
    assert found["fix"] == "arcctl up"
    local.arcctl("up").ok()
    assert _doctor(local)["supervisor"]["state"] == "ok"


def test_a_missing_account_is_a_problem_and_a_long_path_is_none(local: Platform, tmp_path: Path) -> None:
    """In a mount namespace in which the account `nobody` does not exist."""
    if os.geteuid() != 0:
        pytest.skip("only root starts servers as another account, and may hide one")
    directory = tmp_path / ("long-name-" * 9)
    directory.mkdir()
    Platform(directory, local.environment).arcctl("init").ok()
    known = [line for line in Path("/etc/passwd").read_text().splitlines() if not line.startswith(accounts.NAME)]
    (tmp_path / "passwd").write_text("\n".join(known) + "\n")
    (tmp_path / "nsswitch.conf").write_text("passwd: files\n")
    hide = " && ".join(f"mount --bind {tmp_path}/{name} /etc/{name}" for name in ("passwd", "nsswitch.conf"))
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-c", f"{hide} && exec {PROGRAM} doctor --json"),
        cwd=directory,
        env=dict(local.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    found = {diagnosis["id"]: diagnosis for diagnosis in json.loads(done.stdout)["diagnoses"]}
    assert (found["account"]["state"], found["account"]["fix"]) == (
        "problem",
        "sudo useradd --system --no-create-home nobody",
    )
    assert found["socket"]["state"] == "ok"
