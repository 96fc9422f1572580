"""A platform on a disk that fills up: health says so, every command ends with one error, and nothing is lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.engines.embedded import engine as embedded
from tests.e2e.conftest import SHIFT, local_environment
from tests.e2e.driver import Platform, eventually
from tests.small_disk import STATES, SmallDisk

OTHER_SHIFT = SHIFT + 2_000
"""Another platform of this network keeps its ports."""


@pytest.fixture(scope="module")
def project() -> Iterator[tuple[Platform, SmallDisk]]:
    """Redis on the embedded engine, with its data, its configuration and its supervisor on a disk of their own."""
    if os.geteuid():
        pytest.skip("only root can mount a disk")
    with tempfile.TemporaryDirectory(prefix="arc-full-") as folder:
        platform = Platform(Path(folder), local_environment(OTHER_SHIFT), OTHER_SHIFT)
        disk = SmallDisk(embedded.base(platform.directory))
        disk.path.parent.mkdir(parents=True, exist_ok=True)
        disk.mount()
        platform.arcctl("init").ok()
        platform.arcctl("up", "redis").ok()
        yield platform, disk
        platform.arcctl("clean", "--yes")
        disk.unmount()
        disk.path.rmdir()


def _disk_check(platform: Platform) -> tuple[str, str, str]:
    """The status of Redis, and that of its disk with what is said of it."""
    found = platform.service("redis")
    (check,) = (c for c in found["checks"] if c["id"] == "disk")
    return found["status"], check["status"], check["message"]


def _refused(platform: Platform, *words: str) -> tuple[int, list[str]]:
    """The exit code of a command and its errors and hints."""
    done = platform.arcctl(*words)
    assert "Traceback" not in done.err
    return done.code, [line for line in done.err.splitlines() if line.startswith(("error: ", "hint: "))]


def test_health_tells_how_much_is_left_before_writes_fail(project: tuple[Platform, SmallDisk]) -> None:
    platform, disk = project
    assert _disk_check(platform)[:2] == ("healthy", "pass")
    disk.fill(left=200 << 20)
    status, check, message = _disk_check(platform)
    disk.roomy()
    assert (status, check) == ("degraded", "warn")
    assert message.startswith(f"little space: {disk.path}: 200 MiB of ")


@pytest.mark.parametrize("state", ["full", "no inodes"])
def test_where_writes_fail_every_command_says_so_and_what_ran_goes_on(
    project: tuple[Platform, SmallDisk], state: str
) -> None:
    platform, disk = project
    before = platform.running()
    STATES[state][0](disk)
    try:
        status, check, message = _disk_check(platform)
        assert (status, check) == ("unhealthy", "fail")
        assert message.startswith(f"writes fail: {disk.path}: ")
        code, (error, hint) = _refused(platform, "up", "nats")
        assert (code, str(disk.path) in error, "arcctl doctor" in hint) == (5, True, True)
        code, (error, hint) = _refused(platform, "backup", "create", "--to", str(disk.path / "backups"))
        assert (code != 0, str(disk.path) in error) == (True, True)
        assert "arcctl logs" not in hint
        platform.arcctl("up", "redis").ok()
        shown = platform.arcctl("doctor").out
        assert f"{disk.path}: " in next(line for line in shown.splitlines() if line.startswith("disk "))
    finally:
        disk.roomy()
    assert eventually(lambda: _disk_check(platform)[0] == "healthy", 30)
    assert platform.running().keys() == before.keys()
    platform.arcctl("backup", "create").ok()
