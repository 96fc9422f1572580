"""Which engine `docker` talks to, read as `docker` reads it, and what arcctl says of one that it cannot use."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from arcctl.engines.docker import endpoint
from arcctl.engines.docker.engine import DockerEngine
from arcctl.errors import EngineError, PreflightError
from tests.fakes.catalogue import TOY
from tests.fakes.docker import FakeDocker


def _context(folder: Path, name: str, host: str, *, in_use: bool = False) -> None:
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}))
    if in_use:
        (folder / "config.json").write_text(json.dumps({"currentContext": name}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of `docker` in which one context is in use and one is not."""
    _context(tmp_path, "desktop", "unix:///run/desktop.sock")
    _context(tmp_path, "builder", "tcp://10.0.0.7:2376", in_use=True)
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "address", "host", "remote"),
    [
        ({"DOCKER_HOST": "tcp://docker:2375"}, "tcp://docker:2375", "docker", True),
        ({"DOCKER_HOST": "docker:2375"}, "docker:2375", "docker", True),
        ({"DOCKER_HOST": "tcp://127.0.0.1:2375"}, "tcp://127.0.0.1:2375", "127.0.0.1", True),
        ({"DOCKER_HOST": "unix:///other.sock"}, "unix:///other.sock", "127.0.0.1", False),
        ({"DOCKER_HOST": "unix:///other.sock", "DOCKER_CONTEXT": "builder"}, "unix:///other.sock", "127.0.0.1", False),
        ({"DOCKER_CONTEXT": "desktop"}, "unix:///run/desktop.sock", "127.0.0.1", False),
        ({"DOCKER_CONTEXT": "default"}, "", "127.0.0.1", False),
        ({"DOCKER_CONTEXT": "gone"}, "", "127.0.0.1", False),
        ({}, "tcp://10.0.0.7:2376", "10.0.0.7", True),
    ],
)
def test_the_endpoint_is_that_of_docker(
    folder: Path, environment: dict[str, str], address: str, host: str, remote: bool
) -> None:
    found = endpoint.find({"DOCKER_CONFIG": str(folder), **environment})
    assert (found.address, found.host, found.remote, found.refused) == (address, host, remote, None)


@pytest.mark.skipif(not shutil.which("docker"), reason="needs the program docker")
@pytest.mark.parametrize("host", ["tcp://10.0.0.7:2376", "unix:///run/desktop.sock"])
def test_the_context_that_docker_writes_is_found(tmp_path: Path, host: str) -> None:
    environment = {**os.environ, "DOCKER_CONFIG": str(tmp_path)}
    environment.pop("DOCKER_HOST", None)
    for words in (("create", "mine", "--docker", f"host={host}"), ("use", "mine")):
        subprocess.run(("docker", "context", *words), env=environment, capture_output=True, check=True)
    assert endpoint.find(environment).address == host


def test_without_any_choice_or_file_it_is_the_default_socket(tmp_path: Path) -> None:
    assert endpoint.find({"HOME": str(tmp_path)}) == endpoint.LOCAL


def test_a_broken_file_of_docker_is_left_for_docker_to_tell(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    assert endpoint.find({"DOCKER_CONFIG": str(tmp_path)}) == endpoint.LOCAL


@pytest.mark.parametrize(
    ("address", "message", "hint"),
    [
        (
            "ssh://me@box:2222",
            "the Docker endpoint ssh://me@box:2222 is an ssh login, which does not carry the ports of services",
            "ssh -N -L 2375:/var/run/docker.sock -L PORT:127.0.0.1:PORT -p 2222 me@box (with each port of arcctl info),"
            " then export DOCKER_HOST=tcp://127.0.0.1:2375; or run arcctl on that machine",
        ),
        (
            "npipe:////./pipe/docker_engine",
            "the Docker endpoint npipe:////./pipe/docker_engine cannot be used: only unix:// and tcp:// can",
            "docker context use default, and unset DOCKER_HOST",
        ),
        (
            "tcp://[fd00::7]:2376",
            "the Docker endpoint tcp://[fd00::7]:2376 is an IPv6 address, and ports are published on IPv4 addresses"
            " only",
            "name the engine's machine by an IPv4 address or by a host name that has one",
        ),
        ("tcp://[", "the Docker endpoint tcp://[ names no host", "export DOCKER_HOST=tcp://HOST:2376"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused_by_name_before_docker_is_called(
    docker: FakeDocker, tmp_path: Path, address: str, message: str, hint: str
) -> None:
    found = endpoint.parse(address)
    engine = DockerEngine(TOY, [], tmp_path / "compose.env", endpoint=found)
    with pytest.raises(EngineError) as caught:
        engine.facts()
    assert (caught.value.message, caught.value.hint, docker.calls) == (message, hint, [])


@pytest.mark.parametrize(
    ("address", "bound", "host"),
    [
        ("tcp://docker:2375", "0.0.0.0", "docker"),
        ("tcp://docker:2375", "10.0.0.7", "10.0.0.7"),
        ("tcp://127.0.0.1:2375", "127.0.0.1", "127.0.0.1"),
        ("", "0.0.0.0", "127.0.0.1"),
        ("", "192.168.1.5", "192.168.1.5"),
    ],
)
def test_ports_are_reached_where_they_are_published(address: str, bound: str, host: str) -> None:
    assert endpoint.parse(address).reached_at(bound) == host


@pytest.mark.parametrize(
    ("address", "bound", "refused"),
    [
        ("tcp://docker:2375", "127.0.0.1", True),
        ("tcp://docker:2375", "0.0.0.0", False),
        ("tcp://localhost:2375", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_an_address_that_nobody_here_can_reach_is_refused(
    tmp_path: Path, address: str, bound: str, refused: bool
) -> None:
    found = endpoint.parse(address)
    files = [tmp_path / "remote.yaml"]
    engine = DockerEngine(TOY, files, tmp_path / "compose.env", endpoint=found, host=found.reached_at(bound))
    if not refused:
        return engine.refuse_address(bound)
    with pytest.raises(PreflightError) as caught:
        engine.refuse_address(bound)
    assert (
        caught.value.message == "the Docker engine is on docker, whose ports on 127.0.0.1 cannot be reached from here"
    )
    return None
