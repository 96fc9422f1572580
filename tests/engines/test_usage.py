"""What components use: as Docker says, and as measured of processes and folders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.engines.base import Usage
from arcctl.engines.docker.engine import DockerEngine, size
from arcctl.engines.embedded import usage
from arcctl.errors import EngineError
from tests.fakes.catalogue import TOY
from tests.fakes.docker import FakeDocker

STATS = (
    '{"Name":"arc_store","CPUPerc":"12.50%","MemUsage":"10.5MiB / 128MiB","PIDs":"3"}\n'
    '{"Name":"arc_big_shop","CPUPerc":"--","MemUsage":"-- / --","PIDs":"--"}\n'
)
VOLUMES = [
    {"Name": "arc_store_data", "Size": "48.2MB", "Links": "1"},
    {"Name": "somebody_elses", "Size": "9GB", "Links": "0"},
]


@pytest.fixture
def engine(docker: FakeDocker, tmp_path: Path) -> DockerEngine:
    return DockerEngine(TOY, [tmp_path / "base.yaml"], tmp_path / "compose.env")


def test_docker_stats_is_called_once_for_the_named_containers(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("stats *", STATS)
    assert engine.usage(("store", "big-shop")) == {
        "store": Usage(memory=11_010_048, limit=128 << 20, cpu=12.5),
        "big-shop": Usage(memory=0, limit=0, cpu=0),
    }
    assert docker.calls == ["stats --no-stream --format json arc_store arc_big_shop"]


def test_docker_stats_is_not_called_without_containers(docker: FakeDocker, engine: DockerEngine) -> None:
    """Without a name it reports the containers of other projects."""
    assert engine.usage(()) == {}
    assert docker.calls == []


def test_disk_use_is_the_sum_of_a_containers_own_volumes(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("system df *", VOLUMES)
    assert engine.disk() == {"store": 48_200_000}


@pytest.fixture
def other(docker: FakeDocker, tmp_path: Path) -> DockerEngine:
    """The engine of a project with a name of its own, such as the one that checks a backup."""
    return DockerEngine(TOY, [tmp_path / "base.yaml"], tmp_path / "compose.env", project="other")


def test_usage_of_another_project_is_read_from_its_own_containers(docker: FakeDocker, other: DockerEngine) -> None:
    docker.says("stats *", STATS.replace("arc_store", "other_store"))
    assert set(other.usage(("store",))) == {"store"}
    assert docker.calls == ["stats --no-stream --format json other_store"]


def test_disk_use_of_another_project_is_read_from_its_own_volumes(docker: FakeDocker, other: DockerEngine) -> None:
    docker.says("system df *", [*VOLUMES, {"Name": "other_store_data", "Size": "1kB"}])
    assert other.disk() == {"store": 1000}


def test_disk_use_is_empty_where_docker_takes_too_long(
    docker: FakeDocker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcctl.engines.docker.engine.SECONDS", 0.3)
    docker.says("system df *", hang=True)
    assert engine.disk() == {}


def test_usage_fails_where_docker_takes_too_long(
    docker: FakeDocker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcctl.engines.docker.engine.SECONDS", 0.3)
    docker.says("stats *", hang=True)
    with pytest.raises(EngineError, match="did not answer"):
        engine.usage(("store",))


FAMILY = """\
import subprocess, sys
data = bytearray(b"x") * (64 << 20)
child = subprocess.Popen([sys.executable, "-c", "data = bytearray(b'x') * (32 << 20); print(); input()"])
child.wait()
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A process of 64 MiB with a child of 32 MiB, both ready."""
    command = (sys.executable, "-c", FAMILY)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        yield parent
        parent.communicate(b"\n")


def test_usage_of_a_process_includes_its_children(family: subprocess.Popen[bytes]) -> None:
    found = usage.of_processes({"a": family.pid})["a"]
    assert 96 << 20 < found.memory < 200 << 20
    assert found.limit == 0
    assert found.cpu < 20


def test_usage_of_a_busy_process_shows_its_cpu_time() -> None:
    with subprocess.Popen((sys.executable, "-c", "while True: pass")) as busy:
        found = usage.of_processes({"a": busy.pid})["a"]
        busy.kill()
    assert found.cpu > 0


def test_a_process_that_has_ended_has_no_usage() -> None:
    with subprocess.Popen(("true",)) as ended:
        ended.wait()
    assert usage.of_processes({"a": ended.pid}) == {}


def test_disk_use_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"x" * 100_000)
    assert 100_000 <= usage.of_folders([tmp_path]) < 130_000
    assert usage.of_folders([tmp_path / "nowhere"]) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0B", 0),
        ("12B", 12),
        ("1.5kB", 1500),
        ("48.2MB", 48_200_000),
        ("1GB", 10**9),
        ("10.5MiB ", 11_010_048),
        ("384 MiB", 384 * 2**20),
        ("1.25GiB", 1_342_177_280),
        ("--", 0),
        ("N/A", 0),
        ("7 furlongs", 0),
    ],
)
def test_a_size_is_read_to_the_byte(text: str, expected: int) -> None:
    assert size(text) == expected
