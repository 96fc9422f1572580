"""The host's ports, asked of the system that runs the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from arcctl.engines.embedded.location import OWNER
from arcctl.engines.host_ports import EnginePorts, LoopbackPorts
from arcctl.model.host_ports import PortOwner
from arcctl.model.names import LOOPBACK
from tests.fakes.catalogue import TOY
from tests.fakes.images import FakeImages
from tests.fakes.toy import FakeEngine

PORTS = LoopbackPorts()
OTHER = "127.0.0.2"

INTERFACES = Path("/proc/net/if_inet6")
FAMILIES = [(socket.AF_INET, "127.0.0.1")]
if INTERFACES.is_file() and f"{1:032}" in INTERFACES.read_text():
    FAMILIES.append((socket.AF_INET6, "::1"))


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_is_taken_while_a_socket_listens_on_it(address: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        assert PORTS.taken(port)
    assert not PORTS.taken(port)


@pytest.mark.parametrize(
    ("published_at", "listening", "taken"),
    [
        (OTHER, OTHER, True),
        (OTHER, "0.0.0.0", True),
        (OTHER, LOOPBACK, False),
        ("0.0.0.0", OTHER, True),
        ("0.0.0.0", LOOPBACK, True),
        (LOOPBACK, OTHER, False),
    ],
)
def test_containers_find_a_port_taken_on_the_address_on_which_they_are_published(
    published_at: str, listening: str, *, taken: bool
) -> None:
    ports = EnginePorts(FakeEngine(TOY, image_store=FakeImages()), published_at)
    with socket.create_server((listening, 0)) as server:
        port = server.getsockname()[1]
        assert ports.taken(port) is taken
    assert not ports.taken(port)


@pytest.mark.parametrize(("listening", "taken"), [(OTHER, False), (LOOPBACK, True)])
def test_local_processes_listen_on_the_loopback_address_whatever_address_is_set(listening: str, *, taken: bool) -> None:
    with socket.create_server((listening, 0)) as server:
        assert EnginePorts(FakeEngine(TOY), OTHER).taken(server.getsockname()[1]) is taken


def test_no_port_is_taken_on_an_address_that_this_machine_does_not_have() -> None:
    """The engine refuses such an address, and says why."""
    assert not EnginePorts(FakeEngine(TOY, image_store=FakeImages()), "192.0.2.1").taken(_free())


def test_a_closing_connection_does_not_keep_a_port() -> None:
    """A stopped service leaves sockets in TIME_WAIT for a minute; its next start must not wait for them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()
        client.close()
    assert not PORTS.taken(port)


@pytest.mark.parametrize(("family", "address"), FAMILIES, ids=[address for _, address in FAMILIES])
def test_the_owner_is_named_with_its_pid(family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as server:
        name = psutil.Process().name()
        assert PORTS.owner(server.getsockname()[1]) == PortOwner(f"{name} (pid {os.getpid()})")


@pytest.mark.parametrize("works_in", ["run/store", "data/store_data", "data/store_data/run"])
def test_the_server_of_another_project_is_named_with_it(tmp_path: Path, works_in: str) -> None:
    folder = tmp_path / works_in
    folder.mkdir(parents=True)
    (tmp_path / OWNER).write_text("/srv/toy\n")
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    command = (sys.executable, "-c", code)
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        found = PORTS.owner(int(child.stdout.readline()))
        child.kill()
    assert found
    assert str(found).endswith(f"(pid {child.pid}) of the project /srv/toy")
    assert found.stop == "arcctl --project-directory /srv/toy down"


def test_a_free_port_has_no_owner() -> None:
    assert PORTS.owner(_free()) is None


def test_a_client_of_a_port_is_not_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert PORTS.owner(client.getsockname()[1]) is None
