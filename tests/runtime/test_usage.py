"""What things take: as Docker tells it, and as it is measured of processes and folders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.core.usage import Usage
from arcctl.errors import EngineError
from arcctl.runtime import process_usage
from arcctl.runtime.docker import DockerEngine
from tests.core.toy import TOY
from tests.fake_docker import FakeDocker

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


def test_docker_is_asked_once_for_all_and_only_for_what_runs(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("stats *", STATS)
    assert engine.usage(("store", "big-shop")) == {
        "store": Usage(memory=11_010_048, limit=128 << 20, cpu=12.5),
        "big-shop": Usage(memory=0, limit=0, cpu=0),
    }
    assert docker.calls == ["stats --no-stream --format json arc_store arc_big_shop"]


def test_docker_is_not_asked_where_nothing_runs(docker: FakeDocker, engine: DockerEngine) -> None:
    """Without a name it would tell of the containers of others."""
    assert engine.usage(()) == {}
    assert docker.calls == []


def test_the_volumes_of_a_container_are_added_up_and_those_of_others_are_not(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.says("system df *", VOLUMES)
    assert engine.disk() == {"store": 48_200_000}


def test_an_engine_that_takes_too_long_to_add_up_leaves_the_sizes_out(
    docker: FakeDocker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcctl.runtime.docker.SECONDS", 0.3)
    docker.says("system df *", hang=True)
    assert engine.disk() == {}


def test_an_engine_that_does_not_answer_is_an_error_for_memory(
    docker: FakeDocker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcctl.runtime.docker.SECONDS", 0.3)
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


def test_a_process_is_counted_with_its_children(family: subprocess.Popen[bytes]) -> None:
    found = process_usage.usage({"a": family.pid})["a"]
    assert 96 << 20 < found.memory < 200 << 20
    assert found.limit == 0
    assert found.cpu < 20


def test_a_busy_process_is_seen_to_be_busy() -> None:
    with subprocess.Popen((sys.executable, "-c", "while True: pass")) as busy:
        found = process_usage.usage({"a": busy.pid})["a"]
        busy.kill()
    assert found.cpu > 5


def test_a_process_that_has_ended_is_left_out() -> None:
    with subprocess.Popen(("true",)) as ended:
        ended.wait()
    assert process_usage.usage({"a": ended.pid}) == {}


def test_a_folder_is_what_its_files_take_on_disk(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"x" * 100_000)
    assert 100_000 <= process_usage.disk([tmp_path]) < 130_000
    assert process_usage.disk([tmp_path / "nowhere"]) == 0
