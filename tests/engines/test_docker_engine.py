"""The engine's answers become one frozen snapshot; the program `docker` is a script that prints recorded JSON."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arcctl.engines import disks, machine
from arcctl.engines.base import GONE, ContainerState, EngineFacts, Observed
from arcctl.engines.docker.engine import DockerEngine
from arcctl.model.disk import Disk
from tests.fakes.catalogue import STORE, TOY, catalogue
from tests.fakes.docker import FakeDocker, inspected, joined, published

INFO = {"ServerVersion": "28.5.2", "MemTotal": 1 << 34, "NCPU": 8, "DockerRootDir": "/nowhere/at/all"}


@pytest.fixture
def engine(docker: FakeDocker, tmp_path: Path) -> DockerEngine:
    return DockerEngine(TOY, [tmp_path / "base.yaml", tmp_path / "stack.yaml"], tmp_path / "compose.env")


def _seen(docker: FakeDocker, engine: DockerEngine, **changed: Any) -> ContainerState:
    docker.says("container inspect*", [inspected("store", **changed)])
    return engine.observe().of("store")


def test_a_running_container_is_copied_completely(docker: FakeDocker, engine: DockerEngine) -> None:
    log = [{"ExitCode": 0, "Output": "old"}, {"ExitCode": 1, "Output": "first\nlast line \n"}]
    seen = _seen(
        docker,
        engine,
        State={"Health": {"Status": "unhealthy", "FailingStreak": 1, "Log": log}},
        Ports={**published(p7000=7001), "9000/tcp": None, "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}]},
        RestartCount=4,
    )
    assert seen == ContainerState(
        state="running",
        health="unhealthy",
        health_log="last line",
        restarts=4,
        config_hash="hash-of-store",
        image="toy/store:1.0",
        image_id="sha256:store",
        ports={7000: 7001, 53: 5353},
        started_at="2026-01-31T10:00:01Z",
        networks=frozenset({"arc"}),
    )


@pytest.mark.parametrize(
    ("changed", "state", "health", "exit_code", "killed"),
    [
        ({"State": {"Status": "paused"}}, "paused", "", 0, False),
        ({"State": {"Status": "created"}}, "created", "", 0, False),
        ({"State": {"Status": "exited", "ExitCode": 137, "OOMKilled": True}}, "exited", "", 137, True),
        ({"State": {"Status": "restarting", "ExitCode": 1}}, "restarting", "", 1, False),
        ({"State": {"Health": {"Status": "none", "Log": None}}}, "running", "", 0, False),
        ({"State": {"Health": {"Status": "starting", "Log": []}}}, "running", "starting", 0, False),
        ({"State": {"Health": None}}, "running", "", 0, False),
    ],
    ids=["paused", "created", "out of memory", "restarting", "check switched off", "check not run yet", "no check"],
)
def test_each_state_is_copied_unchanged(
    docker: FakeDocker,
    engine: DockerEngine,
    changed: dict[str, Any],
    state: str,
    health: str,
    exit_code: int,
    killed: bool,
) -> None:
    seen = _seen(docker, engine, **changed)
    assert (seen.state, seen.health, seen.exit_code, seen.oom_killed) == (state, health, exit_code, killed)
    assert (seen.health_log, seen.ports, seen.stub) == ("", {}, False)


HEALED_BY_HAND = {"arc": {"Aliases": [], "DNSNames": ["arc_store", "3f2c"], "EndpointID": "e2"}}
STOPPED = {"arc": {"Aliases": ["store"], "DNSNames": None, "EndpointID": ""}}
MISSING = ("not connected to the network arc",)


@pytest.mark.parametrize(
    ("changed", "networks", "cut_off"),
    [
        ({}, {"arc"}, ()),
        ({"Networks": joined("store", "arc", "other")}, {"arc"}, ()),
        ({"Networks": {}}, set(), MISSING),
        ({"Networks": joined("store", "other")}, set(), MISSING),
        ({"Networks": STOPPED}, set(), MISSING),
        ({"Networks": STOPPED, "State": {"Status": "exited"}}, {"arc"}, ()),
        ({"Networks": None, "State": {"Status": "exited"}}, set(), MISSING),
        ({"Networks": HEALED_BY_HAND}, set(), ("on the network arc without its name store",)),
        (
            {"HostConfig": {"PortBindings": published(p7000=7001, p7002=7002)}, "Ports": published(p7000=7001)},
            {"arc"},
            ("port 7002 is not published on 7002",),
        ),
        ({"HostConfig": {"PortBindings": published(p7000=7001)}, "State": {"Status": "exited"}}, {"arc"}, ()),
    ],
    ids=[
        "as it should be",
        "also on another network",
        "on none",
        "on another one only",
        "not attached",
        "stopped",
        "stopped and on none",
        "without its name",
        "a port is not published",
        "stopped, with a port",
    ],
)
def test_a_container_that_lost_a_network_a_name_or_a_port_is_cut_off(
    docker: FakeDocker, engine: DockerEngine, changed: dict[str, Any], networks: set[str], cut_off: tuple[str, ...]
) -> None:
    seen = _seen(docker, engine, **changed)
    assert (set(seen.networks), seen.cut_off) == (networks, cut_off)


def test_a_network_of_the_project_has_its_name_in_front(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("container inspect*", [inspected("front", Networks=joined("front", "arc", "arc_back"))])
    assert engine.observe().of("front").networks == {"arc", "back"}
    docker.says("container inspect*", [inspected("front", Networks=joined("front", "arc", "back"))])
    assert engine.observe().of("front").cut_off == ("not connected to the network arc_back",)


@pytest.mark.parametrize(
    ("label", "host", "changed"),
    [
        ("128/512", {"Memory": 128 << 20, "PidsLimit": 512}, ()),
        ("128/512", {"Memory": 64 << 20, "PidsLimit": 512}, ("its memory limit is 64 MiB, not 128 MiB",)),
        ("128/512", {"Memory": 128 << 20, "PidsLimit": 5}, ("its limit of processes is 5, not 512",)),
        ("128/512", {"Memory": 128 << 20, "PidsLimit": -1}, ("its limit of processes is none, not 512",)),
        ("128/512", {"Memory": 0, "PidsLimit": None}, ()),
        ("", {"Memory": 64 << 20, "PidsLimit": 5}, ()),
    ],
    ids=["same", "memory", "processes", "no limit of processes", "an engine without limits", "without a label"],
)
def test_limits_that_are_not_those_of_the_label_were_changed_by_hand(
    docker: FakeDocker, engine: DockerEngine, label: str, host: dict[str, Any], changed: tuple[str, ...]
) -> None:
    labels = {"arcctl.limits": label} if label else {}
    assert _seen(docker, engine, Labels=labels, HostConfig=host).changed == changed


def test_a_container_that_was_never_started_has_no_time(docker: FakeDocker, engine: DockerEngine) -> None:
    state = {"Status": "created", "StartedAt": "0001-01-01T00:00:00Z"}
    assert _seen(docker, engine, State=state).started_at == ""


def test_an_image_with_the_label_of_a_stub_is_a_stub(docker: FakeDocker, engine: DockerEngine) -> None:
    assert _seen(docker, engine, Labels={"arcctl.standin": "stub"}).stub


def test_a_long_line_of_a_check_is_cut(docker: FakeDocker, engine: DockerEngine) -> None:
    health = {"Status": "unhealthy", "Log": [{"Output": "x" * 5000}]}
    assert _seen(docker, engine, State={"Health": health}).health_log == "x" * 200


def test_all_containers_are_inspected_in_one_call(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("container inspect*", [inspected("store"), inspected("big-shop")])
    assert set(engine.observe().containers) == {"store", "big-shop"}
    assert docker.calls == ["container inspect arc_shop_db arc_shop_exporter arc_big_shop arc_front arc_store"]


def test_a_container_of_another_project_with_the_same_name_is_not_listed(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    foreign = inspected("front", Config={"Image": "nginx", "Labels": None})
    other = inspected("store", Labels={"com.docker.compose.project": "other"})
    docker.says("container inspect*", [foreign, other])
    assert engine.observe().containers == {}


@pytest.mark.parametrize("out", ["", "[]\n"])
def test_an_engine_without_containers_is_an_empty_snapshot(docker: FakeDocker, engine: DockerEngine, out: str) -> None:
    docker.says("container inspect*", out, err="Error response from daemon: No such container: arc_store\n", code=1)
    assert engine.observe().of("store") == GONE


def test_existing_containers_are_seen_where_others_do_not_exist(docker: FakeDocker, engine: DockerEngine) -> None:
    missing = "Error response from daemon: No such container: arc_front\n"
    docker.says("container inspect*", [inspected("store")], err=missing, code=1)
    assert set(engine.observe().containers) == {"store"}


def test_images_are_listed_under_each_of_their_tags(docker: FakeDocker, engine: DockerEngine) -> None:
    found = [{"Id": "sha256:1", "RepoTags": ["toy/store:1.0", "toy/store:1"]}, {"Id": "sha256:2", "RepoTags": None}]
    docker.says("image inspect*", found, err="Error: No such image: toy/front:9\n", code=1)
    assert engine.images(["toy/store:1.0", "toy/front:9", "toy/store:1.0"]) == {
        "toy/store:1.0": "sha256:1",
        "toy/store:1": "sha256:1",
    }
    assert docker.calls == ["image inspect toy/front:9 toy/store:1.0"]


def test_volumes_and_the_owner_of_a_port_are_names(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("volume ls*", "arc_store_data\narc_front_data\n")
    docker.says("container ls*publish=7000*", "other_web\n")
    docker.says("container ls*publish=7001*", "")
    assert engine.volumes() == ("arc_front_data", "arc_store_data")
    assert [engine.port_owner(port) for port in (7000, 7001)] == ["container other_web", ""]


def test_an_engine_that_cannot_look_by_port_names_no_owner(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("container ls *", err="Error response from daemon: publish is an invalid filter\n", code=1)
    assert engine.port_owner(7000) == ""


@pytest.mark.parametrize("with_values", [False, True], ids=["before init", "after init"])
def test_compose_reads_the_files_of_this_project(
    docker: FakeDocker, engine: DockerEngine, tmp_path: Path, with_values: bool
) -> None:
    values = f" --env-file {tmp_path}/compose.env" if with_values else ""
    if with_values:
        (tmp_path / "compose.env").touch()
    docker.says("compose*", "store abc\nbig-shop def\n")
    assert engine.hashes() == {"store": "abc", "big-shop": "def"}
    words = f"compose --project-name arc -f {tmp_path}/base.yaml -f {tmp_path}/stack.yaml{values}"
    assert docker.calls == [f"{words} config --hash *"]
    assert " ".join(engine.command()) == f"docker {words}"


def test_facts_are_versions_and_sizes(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.says("info*", INFO)
    docker.says("compose version --short", "v2.40.3\n")
    assert engine.facts() == EngineFacts(versions={"Docker": "28.5.2", "Compose": "2.40.3"}, memory=1 << 34, cpus=8)


@pytest.mark.parametrize(("allowed", "lowest"), [(False, 1024), (True, 0)])
def test_an_engine_without_root_says_which_ports_it_may_not_publish(
    docker: FakeDocker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch, allowed: bool, lowest: int
) -> None:
    docker.says("info*", {**INFO, "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]})
    docker.says("compose version --short", "v2.40.3\n")
    helper = docker.folder / "rootlesskit"
    helper.write_text("#!/bin/sh\n")
    helper.chmod(0o755)
    monkeypatch.setattr(machine, "lowest_port", lambda: 1024)
    monkeypatch.setattr(machine, "has_capabilities", lambda program: allowed and program == helper)
    assert engine.facts().lowest_port == lowest


@pytest.mark.parametrize(
    ("host", "context", "way"),
    [
        ("", "desktop-linux", "unset DOCKER_HOST DOCKER_CONTEXT; docker context use desktop-linux"),
        ("ssh://me@box", "default", "export DOCKER_HOST=ssh://me@box"),
        ("", "", ""),
    ],
    ids=["a context", "a variable", "unknown"],
)
def test_which_engine_answers_and_how_to_get_to_it_is_known(
    docker: FakeDocker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch, host: str, context: str, way: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    docker.says("info*", INFO | {"ID": "4f1", "ClientInfo": {"Context": context}})
    docker.says("compose version --short", "2.40.3\n")
    assert engine.facts().which == f"4f1 {way}"


def test_free_disk_is_known_where_the_engine_keeps_its_data_on_this_machine(
    docker: FakeDocker, engine: DockerEngine, tmp_path: Path
) -> None:
    docker.says("info*", INFO | {"DockerRootDir": str(tmp_path)})
    docker.says("compose version --short", "2.40.3\n")
    disk = engine.facts().disk
    assert disk
    assert disk.free > 0


WITH_SHELL = replace(STORE, container=replace(STORE.container, has_nc=True))


def _with_volume(docker: FakeDocker, engine: DockerEngine, source: str, **changed: Any) -> Observed:
    mounts = [
        {"Type": "volume", "Source": source, "Destination": "/data"},
        {"Type": "bind", "Source": "/nowhere", "Destination": "/etc/store"},
    ]
    docker.says("container inspect*", [inspected("store", Mounts=mounts, **changed)])
    return engine.observe()


def test_the_disk_of_a_volume_is_read_where_it_is_on_this_machine(
    docker: FakeDocker, engine: DockerEngine, tmp_path: Path
) -> None:
    observed = _with_volume(docker, engine, str(tmp_path))
    assert observed.of("store").volumes == {"/data": str(tmp_path)}
    seen, here = engine.disks(observed)["store"], disks.look(tmp_path)
    assert here
    assert (seen.path, seen.size, seen.files) == (here.path, here.size, here.files)


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (
            {"out": "4096 1000 500 500 100 50\nw\n/data\n"},
            {"store": Disk(path="/data", size=4_096_000, free=2_048_000, files=100, files_free=50)},
        ),
        ({"err": "sh: not found", "code": 127}, {}),
        ({"out": "stat: unrecognized option: c\n"}, {}),
    ],
    ids=["it says", "no shell", "no such option"],
)
def test_on_another_machine_a_container_is_asked_for_its_own(
    docker: FakeDocker, engine: DockerEngine, tmp_path: Path, printed: dict[str, Any], found: dict[str, Disk]
) -> None:
    able = DockerEngine(catalogue(WITH_SHELL), [tmp_path / "base.yaml"], tmp_path / "compose.env")
    observed = _with_volume(docker, able, "/nowhere/at/all")
    docker.says("exec arc_store sh -c *", **printed)
    assert able.disks(observed) == found
    assert engine.disks(observed) == {}


def test_a_container_that_does_not_run_is_not_asked(docker: FakeDocker, engine: DockerEngine) -> None:
    able = DockerEngine(catalogue(WITH_SHELL), [], Path())
    assert able.disks(_with_volume(docker, engine, "/nowhere/at/all", State={"Status": "exited"})) == {}
    assert not any(call.startswith("exec") for call in docker.calls)


@pytest.mark.parametrize(
    "refusal",
    ["Error response from daemon: network 4f1c not found", "Error response from daemon: No such container: arc_store"],
)
def test_a_container_that_cannot_be_started_as_it_is_is_created_again(
    docker: FakeDocker, engine: DockerEngine, refusal: str
) -> None:
    docker.says("compose*")
    docker.says("compose*--no-recreate*store", err=refusal, code=1)
    engine.start(["front", "store"])
    assert [call.partition("--no-build ")[2] for call in docker.calls] == [
        "--no-recreate --detach front store",
        "--no-recreate --detach front",
        "--no-recreate --detach store",
        "--force-recreate --detach store",
    ]


def test_a_change_of_nothing_changes_nothing(docker: FakeDocker, engine: DockerEngine) -> None:
    """Compose would take no name for all of them."""
    docker.says("*")
    for change in (engine.create, engine.start, engine.unpause, engine.stop, engine.restart):
        change([])
    assert docker.calls == []
