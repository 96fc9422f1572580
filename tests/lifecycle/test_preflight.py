"""What must hold before anything starts, and what is only worth a warning."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from arcctl.engines import base
from arcctl.engines.base import EngineFacts, Observed
from arcctl.errors import EngineError, PreflightError
from arcctl.lifecycle import preflight, up
from arcctl.model.disk import Disk
from arcctl.model.service import Catalogue, Port, Process
from tests.fakes.catalogue import TOY
from tests.fakes.images import FakeImages
from tests.fakes.toy import FakeDirectory, FakeEngine, FakePorts, Toy

GIGABYTE, MEGABYTE = 1 << 30, 1 << 20


def _up(toy: Toy, *words: str) -> None:
    toy.decide_ports()
    asyncio.run(up.up(up.Request(words=words, timeout=5.0), toy.project()))


def _refusal(toy: Toy, *words: str) -> str:
    with pytest.raises(PreflightError) as caught:
        _up(toy, *words)
    assert (toy.engine.calls, toy.directory.up) == ([], frozenset())
    return caught.value.message


@pytest.mark.parametrize(
    ("containers", "programs", "owner"),
    [
        ({7000: "container other"}, {7000: "docker-proxy (pid 1)"}, "container other"),
        ({}, {7000: "nginx (pid 42)"}, "nginx (pid 42)"),
        ({}, {7000: ""}, "another program"),
    ],
    ids=["a container", "a program", "nobody knows"],
)
def test_the_owner_of_a_taken_port_is_named_as_precisely_as_the_system_tells(
    containers: dict[int, str], programs: dict[int, str], owner: str
) -> None:
    toy = Toy(engine=FakeEngine(TOY, owners=containers), ports=FakePorts(programs))
    assert _refusal(toy, "store") == f"port 7000 (store) is already in use by {owner}"


def test_two_services_on_one_port_are_refused_with_a_free_one() -> None:
    toy = Toy(ports=FakePorts({7001: "x"}), environment={"BIG_SHOP_HOST_PORT": "7000"})
    with pytest.raises(PreflightError) as caught:
        _up(toy, "big-shop")
    assert caught.value.message == "port 7000 is used twice: by big-shop (HOST_PORT) and by store (HOST_PORT)"
    assert caught.value.hint == "arcctl config set store HOST_PORT 7002"
    _up(toy, "store")


INNER = replace(
    TOY.services["store"],
    process=Process(sources=(), command=lambda env: ("store",), ports=lambda env: (Port(9, 7900),)),
)


def test_a_port_that_no_setting_changes_is_refused_with_its_owner() -> None:
    toy = Toy(ports=FakePorts({7900: "store (pid 3) of the project /srv/other"}))
    toy.decide_ports()
    project = replace(toy.project(), catalogue=Catalogue({**TOY.services, "store": INNER}))
    with pytest.raises(PreflightError) as caught:
        asyncio.run(up.up(up.Request(words=("store",)), project))
    assert caught.value.message == "port 7900 (store) is already in use by store (pid 3) of the project /srv/other"
    assert caught.value.hint == "arcctl --project-directory /srv/other down"


def test_a_port_that_an_engine_without_root_may_not_publish_is_refused_with_another_one() -> None:
    toy = Toy(engine=FakeEngine(TOY, lowest_port=7001))
    with pytest.raises(PreflightError) as caught:
        _up(toy, "store")
    assert caught.value.message == "the engine runs without root and may not publish ports below 7001: 7000 (store)"
    assert caught.value.hint == (
        "arcctl config set STORE_HOST_PORT=15001; or sudo sysctl -w net.ipv4.ip_unprivileged_port_start=7000"
    )
    assert toy.engine.calls == []
    toy.environment = {"STORE_HOST_PORT": "7001"}
    _up(toy, "store")


def test_an_engine_on_which_nothing_was_ever_started_has_to_be_named() -> None:
    toy = Toy(engine=FakeEngine(TOY, untested="Podman 5.4.2"))
    with pytest.raises(PreflightError) as caught:
        _up(toy, "store")
    assert caught.value.message == "Podman 5.4.2 answers in the place of Docker, and no service was ever started on it"
    assert caught.value.hint.endswith("unset DOCKER_HOST; arcctl up; to try it: arcctl --engine fake up")
    assert toy.engine.calls == []
    asyncio.run(up.up(up.Request(words=("store",)), replace(toy.project(), engine_named=True)))


def test_all_problems_are_reported_at_once() -> None:
    toy = Toy(
        engine=FakeEngine(TOY, space=Disk(path="/data", size=9 * GIGABYTE, free=GIGABYTE)),
        ports=FakePorts({7000: "a", 7200: "b"}),
    )
    assert _refusal(toy, "front") == (
        "port 7000 (store) is already in use by a; port 7200 (front) is already in use by b; "
        "too little disk space at /data: 1.0 GiB of 9.0 GiB free (11 %)"
    )


PORT_HINT = "stop what uses the port, or choose another one; to see the settings: arcctl config show"
DISK_HINT = "free disk space; to see what can be removed: arcctl doctor"


@pytest.mark.parametrize(
    ("ports", "disk", "hint"),
    [
        ({7000: "a"}, None, PORT_HINT),
        ({}, Disk(path="/data", size=9 * GIGABYTE, free=0), DISK_HINT),
        ({}, Disk(path="/data", size=90 * GIGABYTE, free=50 * GIGABYTE, files=1000), DISK_HINT),
        ({7000: "a"}, Disk(path="/data", size=9 * GIGABYTE, free=GIGABYTE), f"{PORT_HINT}; {DISK_HINT}"),
    ],
    ids=["a port", "nothing free at all", "no inodes", "both"],
)
def test_the_hint_is_about_what_is_wrong(ports: dict[int, str], disk: Disk | None, hint: str) -> None:
    toy = Toy(engine=FakeEngine(TOY, space=disk), ports=FakePorts(ports))
    with pytest.raises(PreflightError) as caught:
        _up(toy, "store")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("free", "lacking", "refusal"),
    [
        (9, "all", "; 10.0 GiB are needed, because {} images are missing"),
        (11, "all", None),
        (3, "none", None),
        (1, "none", ""),
    ],
)
def test_images_that_are_missing_need_disk_space(free: int, lacking: str, refusal: str | None) -> None:
    images = frozenset(c.container.image for c in TOY.components().values())
    disk = Disk(path="/data", size=20 * GIGABYTE, free=free * GIGABYTE)
    toy = Toy(engine=FakeEngine(TOY, space=disk, lacking=images if lacking == "all" else frozenset()))
    if refusal is None:
        _up(toy, "all")
    else:
        assert _refusal(toy, "all") == f"too little disk space at {disk}" + refusal.format(len(images))


@dataclass
class PrivateFiles(FakeDirectory):
    """A project that was cloned under a strict umask."""

    def unreadable_mounts(self, mounted: Iterable[str]) -> dict[str, tuple[int, int]]:
        return {f"config/{name}": (0o600, 0o644) for name in mounted}


def test_files_that_the_users_of_containers_cannot_read_are_refused_with_what_repairs_them() -> None:
    toy = Toy(engine=FakeEngine(TOY, image_store=FakeImages()), directory=PrivateFiles())
    with pytest.raises(PreflightError) as caught:
        _up(toy, "store")
    assert caught.value.message == "containers cannot read what they mount: config/store/store.conf has mode 0600"
    assert caught.value.hint == "arcctl doctor --fix"


def test_local_processes_get_copies_of_their_files() -> None:
    toy = Toy(directory=PrivateFiles())
    _up(toy, "store")
    assert toy.engine.calls == ["create store", "start store"]


def test_a_port_that_a_running_service_uses_itself_is_no_problem() -> None:
    toy = Toy()
    _up(toy, "store")
    toy.ports = FakePorts({7000: "docker-proxy"})
    _up(toy, "big-shop")
    assert [call for call in toy.engine.calls if "store" in call.split()] == ["create store", "start store"]


def test_ports_of_services_that_were_not_asked_for_may_be_taken() -> None:
    toy = Toy(ports=FakePorts({7200: "somebody"}))
    _up(toy, "store")
    assert toy.engine.calls == ["create store", "start store"]


def test_without_changes_nothing_is_checked() -> None:
    toy = Toy()
    _up(toy, "store")
    toy.engine.compose = "1.0.0"
    _up(toy, "store")
    assert toy.engine.calls == ["create store", "start store"]


BEFORE = "4f1 docker context use default"
ELSEWHERE = "the data of this project is in another fake engine than the one that answers"


def _on(id: str, way: str, **used: str) -> Toy:
    """A platform that ran on these engines, where this one answers now."""
    return Toy(engine=FakeEngine(TOY, id=id, way=way), directory=FakeDirectory(used=used))


def test_another_engine_of_the_same_kind_is_refused_with_the_way_back_and_the_way_on() -> None:
    toy = _on("9c2", "docker context use box", fake=BEFORE)
    with pytest.raises(PreflightError) as caught:
        _up(toy, "store")
    assert (caught.value.message, toy.engine.calls) == (ELSEWHERE, [])
    assert caught.value.hint == (
        "docker context use default; arcctl up; to start without that data: arcctl --engine fake up"
    )
    assert toy.directory.used == {"fake": BEFORE}


def test_it_is_used_where_the_command_line_names_it_with_a_warning_once() -> None:
    toy = _on("9c2", "docker context use box", fake=BEFORE)
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), replace(toy.project(), engine_named=True)))
    assert f"warning {ELSEWHERE}; to get back to it: docker context use default" in toy.printed
    assert toy.directory.used == {"fake": "9c2 docker context use box"}
    toy.events.clear()
    _up(toy, "big-shop")
    assert not [line for line in toy.printed if line.startswith("warning the data")]


@pytest.mark.parametrize(
    ("id", "way", "before"),
    [
        ("4f1", "docker context use renamed", BEFORE),
        ("9c2", "docker context use default", BEFORE),
        ("", "docker context use box", BEFORE),
        ("9c2", "docker context use box", ""),
    ],
    ids=["the same by another name", "installed again", "it does not say", "never noted"],
)
def test_an_engine_that_is_not_known_to_be_another_one_is_used_and_noted(id: str, way: str, before: str) -> None:
    toy = _on(id, way, fake=before)
    _up(toy, "store")
    assert toy.engine.calls == ["create store", "start store"]
    assert toy.directory.used == {"fake": f"{id} {way}" if id else before}


def test_an_engine_without_data_that_only_the_environment_names_is_refused() -> None:
    toy = _on("", "", docker="")
    with pytest.raises(PreflightError) as caught:
        _up(toy, "store")
    assert caught.value.message == "the data of this project is in the docker engine"
    assert caught.value.hint == "unset ARCCTL_ENGINE; arcctl up; to start without that data: arcctl --engine fake up"
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), replace(toy.project(), engine_named=True)))
    assert (toy.engine.calls, toy.directory.used) == (["create store", "start store"], {"docker": "", "fake": ""})


@pytest.mark.parametrize(
    ("docker", "compose", "message", "hint"),
    [
        ("27.5.1", "2.40.3", "Docker 27.5.1 is too old", "install Docker 28.0 or newer"),
        ("28.5.2", "2.29.0", "Compose 2.29.0 is too old", "install Compose 2.29.1 or newer"),
        ("27.9.9", "2.40.3", "Docker 27.9.9 is too old", "install Docker 28.0 or newer"),
        ("28.5.2", "2.24.7-desktop.30", "Compose 2.24.7-desktop.30 is too old", "install Compose 2.29.1 or newer"),
        ("28.5.2", "1.29.2", "Compose 1.29.2 is too old", "install Compose 2.29.1 or newer"),
    ],
)
def test_an_engine_that_is_too_old_is_refused(docker: str, compose: str, message: str, hint: str) -> None:
    facts = EngineFacts(versions={"Docker": docker, "Compose": compose}, memory=0, cpus=1)
    with pytest.raises(EngineError) as caught:
        preflight.refuse_old(facts)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("docker", "compose"), [("28.0.0", "2.29.1"), ("29.1.2", "5.0.0"), ("28.2.2+dfsg", "2.40.3-desktop.1")]
)
def test_a_recent_version_is_accepted_with_any_suffix(docker: str, compose: str) -> None:
    preflight.refuse_old(EngineFacts(versions={"Docker": docker, "Compose": compose}, memory=0, cpus=1))


@pytest.mark.parametrize(
    ("found", "refused"), [("28.0.1", True), ("28.0.2", False), ("28.0.10", False), ("28.1", False), ("28", True)]
)
def test_a_version_compares_by_all_its_numbers(monkeypatch: pytest.MonkeyPatch, found: str, refused: bool) -> None:
    monkeypatch.setitem(base.OLDEST, "Docker", (28, 0, 2))
    assert (base.too_old({"Docker": found}) is not None) == refused


@pytest.mark.parametrize(
    ("memory", "warned"),
    [(63 * MEGABYTE, True), (64 * MEGABYTE, False), (0, False)],
    ids=["less than half", "half and more", "unknown"],
)
def test_an_engine_with_less_memory_than_the_limits_gets_a_warning(memory: int, warned: bool) -> None:
    toy = Toy(engine=FakeEngine(TOY, memory=memory))
    _up(toy, "store")
    line = f"warning the engine has {memory // MEGABYTE} MiB; these services may use up to 128 MiB"
    assert (line in toy.printed) is warned
    assert toy.engine.calls == ["create store", "start store"]


def test_the_engine_is_described_in_one_line() -> None:
    facts = EngineFacts(
        versions={"Docker": "28.5.2", "Compose": "2.40.3"},
        memory=8 * GIGABYTE,
        cpus=4,
        disk=Disk(path="/", size=90 * GIGABYTE, free=9 * GIGABYTE),
    )
    assert preflight.describe(facts) == "Docker 28.5.2, Compose 2.40.3, 4 cores, 8.0 GiB memory, 9 GiB disk free"


def test_a_port_that_is_in_use_since_the_service_stopped_is_refused() -> None:
    toy = Toy()
    _up(toy, "store")
    toy.engine.stop(["store"])
    toy.ports = FakePorts({7000: "nginx (pid 42)"})
    with pytest.raises(PreflightError, match=r"^port 7000 \(store\) is already in use by nginx \(pid 42\)$"):
        _up(toy, "store")


@pytest.mark.parametrize(
    ("owner", "images"),
    [("storeserver (pid 7) of the project /srv/toy", None), ("docker-proxy (pid 7)", FakeImages({})), ("", None)],
    ids=["process", "container", "the system does not say"],
)
def test_a_service_that_is_up_again_since_the_plan_was_made_uses_its_own_port(
    owner: str, images: FakeImages | None
) -> None:
    """A container whose server ends again and again runs now and then."""
    toy = Toy()
    _up(toy, "store")

    class Restarting(FakeEngine):
        looks = 0

        def observe(self) -> Observed:
            self.looks += 1
            self._become(["store"], "restarting" if self.looks == 1 else "running")
            return super().observe()

    toy.engine = Restarting(TOY, states=toy.engine.states, image_store=images)
    toy.ports = FakePorts({7000: owner})
    _up(toy, "store")
    assert toy.engine.calls == ["start store"]


@pytest.mark.parametrize("images", [None, FakeImages({})], ids=["process", "container"])
def test_a_service_that_is_moved_to_a_port_of_another_program_keeps_running(images: FakeImages | None) -> None:
    toy = Toy()
    _up(toy, "store")
    toy.engine.image_store, toy.engine.calls = images, []
    toy.engine.states["store"] = replace(toy.engine.states["store"], ports={7000: 6999})
    toy.directory.files = "edited"
    toy.ports = FakePorts({7000: "python (pid 7)"})
    with pytest.raises(PreflightError, match=r"port 7000 \(store\) is already in use by python \(pid 7\)"):
        _up(toy, "store")
    assert toy.engine.calls == []


def test_a_port_of_a_service_that_was_started_before_is_refused() -> None:
    toy = Toy()
    _up(toy, "front")
    toy.environment["STORE_HOST_PORT"] = "80"
    toy.directory.files = "edited"
    toy.engine.calls.clear()
    with pytest.raises(PreflightError, match="port 80 is used twice"):
        _up(toy, "store")
    assert toy.engine.calls == []
