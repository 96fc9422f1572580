"""What is left on a disk, read on a real one, here and in a container."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from arcctl.engines import disks
from arcctl.model.disk import GIGABYTE, MEGABYTE, Space
from tests.small_disk import STATES, SmallDisk


def test_a_disk_is_named_by_its_mount_and_told_with_its_size(small_disk: SmallDisk) -> None:
    folder = small_disk.path / "data" / "store"
    folder.mkdir(parents=True)
    found = disks.look(folder)
    assert found
    assert (found.path, found.size, found.space) == (str(small_disk.path), 4 * GIGABYTE, Space.ENOUGH)


@pytest.mark.parametrize("state", STATES)
def test_a_disk_that_refuses_writes_has_no_space(small_disk: SmallDisk, state: str) -> None:
    (small_disk.path / "file").write_text("before")
    STATES[state][0](small_disk)
    with pytest.raises(OSError, match=r"No space|Read-only"):
        (small_disk.path / "new").write_text("after")
    found = disks.look(small_disk.path)
    assert found
    assert found.space is Space.NONE


def test_a_disk_that_fills_up_has_little_first(small_disk: SmallDisk) -> None:
    small_disk.fill(left=100 * MEGABYTE)
    found = disks.look(small_disk.path)
    assert found
    assert (found.space, found.free) == (Space.LITTLE, 100 * MEGABYTE)


@pytest.mark.parametrize("state", ["none", *STATES])
def test_a_container_says_the_same_of_its_own_disk(small_disk: SmallDisk, state: str) -> None:
    if state in STATES:
        STATES[state][0](small_disk)
    command = ("sh", "-c", disks.SCRIPT, "sh", str(small_disk.path))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, wanted = disks.parsed(done.stdout), disks.look(small_disk.path)
    assert found
    assert wanted
    assert found == replace(wanted, refuses="not writable" if wanted.refuses else "")


@pytest.mark.parametrize("text", ["", "sh: stat: not found\n", "1 2 3\nw\n/data\n"])
def test_a_container_without_the_program_says_nothing(text: str) -> None:
    assert disks.parsed(text) is None


def test_a_path_of_another_machine_has_no_disk() -> None:
    assert disks.look(Path("/no/such/folder")) is None
    assert disks.look(Path()) is None


def test_a_folder_that_its_server_may_not_write_refuses_it(tmp_path: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "data"
    run.mkdir()
    data.mkdir()
    disk = disks.look(data)
    assert disk
    assert disks.owned(disk, data, run) == disk
    assert disks.owned(disk, tmp_path / "gone", run).refuses == "no such file or directory"
    assert disks.owned(disk, data, tmp_path / "gone") == disk
    if os.geteuid() == 0:
        os.chown(run, 65534, 65534)
        assert disks.owned(disk, data, run).refuses == "permission denied"
        os.chown(data, 65534, 65534)
        assert disks.owned(disk, data, run) == disk
        data.chmod(0o500)
        assert str(disks.owned(disk, data, run)) == f"{data}: permission denied"


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [("could not write: No space left on device", "arcctl doctor"), ("no such table", "arcctl logs store")],
)
def test_after_a_program_failed_for_the_disk_the_next_command_is_doctor(reason: str, wanted: str) -> None:
    assert disks.hint(reason, "arcctl logs store") == wanted
