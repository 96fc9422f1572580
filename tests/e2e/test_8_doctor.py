"""`doctor` beside real servers: it sees what was broken, mends what is safe, and never touches data."""

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

from arcctl.runtime import accounts, embedded
from arcctl.runtime.layout import OWNER
from tests.e2e.driver import PROGRAM, Platform, eventually

NEVER = {"warn", "ok", "unknown"}


def _doctor(platform: Platform, *words: str) -> dict[str, dict[str, Any]]:
    document = json.loads(platform.arcctl("doctor", "--json", *words).out)
    return {finding["id"]: finding for finding in document["findings"]}


@contextlib.contextmanager
def _data(platform: Platform, **files: str) -> Iterator[tuple[Platform, Path]]:
    """A home of its own with a data folder of Postgres that holds these files."""
    with platform.another_home() as home:
        folder = embedded.base(home.home) / "data" / "postgres_data"
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        try:
            yield home, folder
        finally:
            shutil.rmtree(embedded.base(home.home), ignore_errors=True)


def test_on_a_platform_that_runs_nothing_is_a_problem(either: Platform) -> None:
    done = either.arcctl("doctor", "--json").ok()
    document = json.loads(done.out)
    assert document["passed"]
    assert {finding["state"] for finding in document["findings"]} <= NEVER
    found = {finding["id"]: finding["evidence"] for finding in document["findings"]}
    assert "initialised" in found["half-volume"]
    assert found["data-version"].endswith("has version 18")


def test_half_a_data_folder_is_a_problem_and_is_left_as_it_is(local: Platform) -> None:
    with _data(local, **{"pg_hba.conf": "interrupted"}) as (home, folder):
        found = _doctor(home, "--fix")["half-volume"]
        assert (found["state"], found["evidence"], found["mendable"]) == (
            "problem",
            "postgres_data has data but no PG_VERSION, global/pg_control, postgresql.conf",
            False,
        )
        assert [path.name for path in folder.iterdir()] == ["pg_hba.conf"]


def test_data_of_another_major_version_is_a_problem(local: Platform) -> None:
    with _data(local, PG_VERSION="16\n") as (home, _):
        found = _doctor(home)["data-version"]
        assert found["evidence"] == "postgres_data has data of version 16, postgres is 18"


def test_a_data_folder_that_was_being_made_is_removed_when_asked(local: Platform) -> None:
    with _data(local) as (home, folder):
        unfinished = folder.with_suffix(".new")
        (unfinished / "base").mkdir(parents=True)
        assert str(unfinished) in _doctor(home)["unfinished"]["evidence"]
        assert home.arcctl("doctor", "--fix").err.startswith(f"fixed: removed {unfinished}\n")
        assert (unfinished.exists(), folder.exists()) == (False, True)


def test_data_of_a_home_that_is_gone_is_named_with_the_way_to_remove_it(local: Platform) -> None:
    if accounts.unprivileged() is None:
        pytest.skip("only root keeps data of homes outside of them")
    with _data(local) as (home, folder):
        (folder.parents[1] / OWNER).write_text("/home/nobody/gone\n")
        found = _doctor(local)["other-homes"]
        assert f"{folder.parents[1]} of /home/nobody/gone, which is gone" in found["evidence"]
        assert found["fix"].startswith("sudo rm -r ")
        (folder.parents[1] / OWNER).write_text(f"{home.home}\n")
        assert str(folder.parents[1]) not in _doctor(local)["other-homes"]["evidence"]


def test_secrets_that_are_lost_over_real_data_are_a_problem(local: Platform) -> None:
    secrets = local.home / ".arcctl" / "secrets.env"
    aside = secrets.rename(local.home / "aside")
    try:
        found = _doctor(local, "--fix")["secrets-lost"]
        assert not secrets.exists()
    finally:
        aside.rename(secrets)
    assert "postgres_data" in found["evidence"]
    assert _doctor(local)["home"]["state"] == "ok"


def test_too_few_files_are_told_before_a_server_runs_out_of_them(local: Platform) -> None:
    done = subprocess.run(
        ("sh", "-c", f"ulimit -n 512 && exec {PROGRAM} doctor --json"),
        cwd=local.home,
        env=dict(local.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = [f for f in json.loads(done.stdout)["findings"] if f["id"] == "open-files"]
    assert (found["state"], found["evidence"]) == ("problem", "512 files at once, 512 at the most")


def test_a_killed_supervisor_is_a_problem_with_the_servers_that_it_left_and_up_is_the_cure(local: Platform) -> None:
    assert _doctor(local)["supervisor"]["evidence"] == "the supervisor runs"
    pid = int((embedded.base(local.home) / "supervisor.pid").read_text())
    psutil.Process(pid).send_signal(signal.SIGKILL)
    found = eventually(lambda: f if (f := _doctor(local)["supervisor"])["state"] == "problem" else None, 10)
    assert found
    assert "servers behind that nobody would restart" in found["evidence"]
    assert found["fix"] == "arcctl up"
    local.arcctl("up").ok()
    assert _doctor(local)["supervisor"]["state"] == "ok"


def test_without_an_account_for_servers_and_with_a_path_too_long_for_a_socket_both_are_told(
    local: Platform, tmp_path: Path
) -> None:
    """In a mount namespace of its own, where the machine knows no `nobody`."""
    if os.geteuid() != 0:
        pytest.skip("only root starts servers as another account, and may hide one")
    home = tmp_path / ("long-name-" * 9)
    home.mkdir()
    Platform(home, local.environment).arcctl("init").ok()
    known = [line for line in Path("/etc/passwd").read_text().splitlines() if not line.startswith(accounts.NAME)]
    (tmp_path / "passwd").write_text("\n".join(known) + "\n")
    (tmp_path / "nsswitch.conf").write_text("passwd: files\n")
    hide = " && ".join(f"mount --bind {tmp_path}/{name} /etc/{name}" for name in ("passwd", "nsswitch.conf"))
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-c", f"{hide} && exec {PROGRAM} doctor --json"),
        cwd=home,
        env=dict(local.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    found = {finding["id"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert (found["account"]["state"], found["account"]["fix"]) == (
        "problem",
        "sudo useradd --system --no-create-home nobody",
    )
    assert (found["socket"]["state"], "of 100 characters" in found["socket"]["evidence"]) == ("problem", True)
