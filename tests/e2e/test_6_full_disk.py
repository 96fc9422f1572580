"""A platform on a disk that fills up: health says so, every command ends with one error, and nothing is lost."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from arcctl import services
from arcctl.engines.embedded import location
from arcctl.model.graph import root_causes
from tests import faults
from tests.e2e.conftest import SHIFT, local_environment
from tests.e2e.driver import Platform, eventually, reason
from tests.small_disk import STATES, SmallDisk

CATALOGUE = services.load()
OTHER_SHIFT = SHIFT + 2_000
"""Another platform of this network keeps its ports."""


@pytest.fixture(scope="module")
def project() -> Iterator[tuple[Platform, SmallDisk]]:
    """Redis on the embedded engine, with its data, its configuration and its supervisor on a disk of their own."""
    if os.geteuid():
        pytest.skip("only root can mount a disk")
    with tempfile.TemporaryDirectory(prefix="arc-full-") as folder:
        platform = Platform(Path(folder), local_environment(OTHER_SHIFT), OTHER_SHIFT)
        disk = SmallDisk(location.base(platform.directory))
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


@dataclass(frozen=True)
class EngineDisk:
    """A disk of the machine of a Docker engine, that holds the volumes of the platform."""

    stack: Platform
    path = "/mnt/arcctl-e2e"

    def run(self, script: str) -> str:
        """As root among the mounts of the engine, which are those of the process that starts containers."""
        image = CATALOGUE.services["redis"].container.image
        joined = ("--privileged", "--pid", "host", "--user", "0", "--entrypoint", "sh")
        words = f"nsenter --target $PPID --mount sh -c {shlex.quote(script)}"
        return self.stack.docker("run", "--rm", "--pull", "never", *joined, image, "-c", words)

    def mount(self) -> None:
        self.run(f"mkdir -p {self.path} && mount -t tmpfs -o size=8g tmpfs {self.path}")
        for volume in faults.VOLUMES:
            self.run(f"mkdir {self.path}/{volume}")
            labels = ("com.docker.compose.project=arc", f"com.docker.compose.volume={volume}")
            options = ("type=none", "o=bind", f"device={self.path}/{volume}")
            words = [word for label in labels for word in ("--label", label)]
            words += [word for option in options for word in ("--opt", option)]
            self.stack.docker("volume", "create", *words, f"arc_{volume}")

    def unmount(self) -> None:
        self.run(f"umount -l {self.path} && rmdir {self.path}")

    def fill(self) -> None:
        """Not a page is left."""
        self.run(f"mount -o remount,size=$(df -k {self.path} | awk 'END {{print $3}}')k {self.path}")

    def roomy(self) -> None:
        self.run(f"mount -o remount,size=8g {self.path}")


@pytest.fixture
def on_a_small_disk(platform: Platform) -> Iterator[tuple[Platform, EngineDisk]]:
    """All services on Docker, with their volumes on a disk of their own."""
    disk = EngineDisk(platform)
    platform.arcctl("clean", "--yes").ok()
    platform.arcctl("up", "redis").ok()  # the project knows from then on that data with its name is its own
    platform.arcctl("down").ok()
    platform.docker("volume", "rm", "arc_redis_data")
    disk.mount()
    try:
        platform.arcctl("up", "--stack").ok()
        yield platform, disk
    finally:
        disk.roomy()
        platform.arcctl("clean", "--yes").ok()
        disk.unmount()


def test_a_full_disk_of_a_docker_engine_is_told_for_each_service_with_data(
    on_a_small_disk: tuple[Platform, EngineDisk],
) -> None:
    stack, disk = on_a_small_disk
    assert eventually(lambda: stack.health("all")["status"] == "healthy"), stack.arcctl("health", "all").out
    disk.fill()
    report = {s["name"]: s for s in stack.health("all")["services"]}
    told = {i for i, s in report.items() if s["status"] == "unhealthy" and re.search(faults.DISK.said, reason(s))}
    assert told == set(faults.DISK.services)
    failed = dict.fromkeys(told, True)
    causes = {i: sorted(root_causes(i, failed, CATALOGUE)) for i in report}
    assert {i: sorted(service["blocked_by"]) for i, service in report.items()} == causes
    disk.roomy()
    stack.arcctl("up", "--stack").ok()
    assert eventually(lambda: stack.health("all")["status"] == "healthy"), stack.arcctl("health", "all").out
