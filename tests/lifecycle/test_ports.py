"""Which ports a project gets, beside other projects of this user and what else listens."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from arcctl.engines.host_ports import LoopbackPorts
from arcctl.errors import PreflightError
from arcctl.lifecycle import ports, up
from arcctl.lifecycle.init import init
from arcctl.settings import known_projects
from arcctl.settings.directory import KEPT_PORTS
from arcctl.settings.identity import Identity
from arcctl.settings.known_projects import KnownProject
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeDirectory, FakeEngine, FakePorts, Toy

USUAL = {"STORE_HOST_PORT": 7000, "BIG_SHOP_HOST_PORT": 7100, "FRONT_HTTP_PORT": 80, "FRONT_ADMIN_PORT": 7200}


def _other(tmp_path: Path, **of: int) -> KnownProject:
    entry = KnownProject(id="other", name="other", directory=str(tmp_path), ports=of)
    known_projects.remember(entry)
    return entry


def _entry(toy: Toy) -> dict[str, int]:
    return next(dict(entry.ports) for entry in known_projects.known() if entry.id == toy.identity.id)


def test_the_first_project_gets_the_usual_ports_and_keeps_nothing() -> None:
    toy = Toy()
    assert init(toy.project()).ports == {}
    assert (_entry(toy), toy.directory.chosen) == (USUAL, {})


def test_a_port_of_a_project_that_is_down_is_left_to_it(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7000, LOKI_HOST_PORT=80)
    toy = Toy()
    assert init(toy.project()).ports == {"STORE_HOST_PORT": 7001, "FRONT_HTTP_PORT": 8080}
    assert toy.directory.chosen == {"STORE_HOST_PORT": "7001", "FRONT_HTTP_PORT": "8080"}
    assert _entry(toy) == {**USUAL, "STORE_HOST_PORT": 7001, "FRONT_HTTP_PORT": 8080}
    assert toy.project().settings.values["STORE_HOST_PORT"].origin == KEPT_PORTS


def test_a_port_on_which_somebody_listens_is_left_to_them_and_so_is_that_of_a_container_elsewhere() -> None:
    toy = Toy(ports=FakePorts({7000: "nginx (pid 4)"}), engine=FakeEngine(TOY, owners={7001: "container x"}))
    assert init(toy.project()).ports == {"STORE_HOST_PORT": 7002}


def test_a_chosen_port_is_none_that_the_project_has_already(tmp_path: Path) -> None:
    _other(tmp_path, A_HOST_PORT=7199, B_HOST_PORT=7100)
    toy = Toy(environment={"STORE_HOST_PORT": "7101", "FRONT_ADMIN_PORT": "7102"})
    assert init(toy.project()).ports == {"BIG_SHOP_HOST_PORT": 7103}


def test_what_was_chosen_stays_also_when_somebody_listens_there_later() -> None:
    toy = Toy(ports=FakePorts({7000: "x"}))
    init(toy.project())
    toy.ports = FakePorts({7001: "nginx (pid 4)"})
    assert init(toy.project()).ports == {"STORE_HOST_PORT": 7001}
    with pytest.raises(PreflightError, match=r"^port 7001 \(store\) is already in use by nginx \(pid 4\)$"):
        asyncio.run(up.up(up.Request(words=("store",)), toy.project()))


def test_what_the_user_has_set_wins_and_others_leave_it_alone(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7000)
    toy = Toy(environment={"STORE_HOST_PORT": "7000"})
    assert init(toy.project()).ports == {}
    assert _entry(toy)["STORE_HOST_PORT"] == 7000
    toy.environment = {"STORE_HOST_PORT": "7009"}
    ports.reserve(toy.project())
    assert _entry(toy)["STORE_HOST_PORT"] == 7009


def test_up_chooses_where_init_did_not_and_says_so(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7000, LOKI_HOST_PORT=7100)
    report = asyncio.run(up.up(up.Request(words=("store",)), Toy().project()))
    assert report.ports == {"STORE_HOST_PORT": 7001}  # the others are for services that it did not start


def test_a_dry_run_chooses_nothing(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7000)
    toy = Toy(directory=FakeDirectory(kept={"STORE_PASSWORD": "a" * 8 + "b", "BIG_SHOP_TOKEN": "c" * 31 + "d"}))
    asyncio.run(up.up(up.Request(words=("store",), dry_run=True), toy.project()))
    assert toy.directory.chosen == {}


def test_a_service_that_an_earlier_arcctl_ran_keeps_its_port_and_one_that_never_ran_gets_a_free_one(
    tmp_path: Path,
) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7000, LOKI_HOST_PORT=7100)
    directory = FakeDirectory(kept={"STORE_PASSWORD": "old"}, complete=frozenset({"store"}))
    toy = Toy(directory=directory, engine=FakeEngine(TOY, kept=("arc_store_data",)))
    assert init(toy.project()).ports == {"BIG_SHOP_HOST_PORT": 7101}


def test_a_copy_without_data_of_its_own_gets_other_ports_than_its_original(tmp_path: Path) -> None:
    _other(tmp_path, STORE_HOST_PORT=7001)
    directory = FakeDirectory(chosen={"STORE_HOST_PORT": "7001"}, complete=frozenset({"store"}))
    assert init(Toy(directory=directory).project()).ports == {"STORE_HOST_PORT": 7002}


def test_a_project_whose_directory_is_gone_reserves_nothing_unless_it_may_have_been_moved_with_its_data(
    tmp_path: Path,
) -> None:
    gone = _other(tmp_path / "gone", REDIS_HOST_PORT=7000)
    assert init(Toy().project()).ports == {}
    known_projects.remember(replace(gone, engines={"docker": ""}))
    toy = Toy(identity=Identity("b", "b"))
    known_projects.forget("toy")
    assert init(toy.project()).ports == {"STORE_HOST_PORT": 7001}


def test_another_engine_gets_its_own_usual_port_again(tmp_path: Path) -> None:
    toy = Toy(engine=FakeEngine(TOY, defaults={"FRONT_HTTP_PORT": "8000"}))
    init(toy.project())
    toy.engine = FakeEngine(TOY, name="other")
    assert init(toy.project()).ports == {}
    assert _entry(toy)["FRONT_HTTP_PORT"] == 80


def test_fixed_ports_are_refused_with_the_name_of_the_project_that_has_them(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7000)
    toy = Toy(ports=FakePorts({7100: "nginx (pid 4)"}))
    with pytest.raises(PreflightError) as caught:
        init(toy.project(), fixed_ports=True)
    assert caught.value.message == (
        "port 7100 (big-shop) is already in use by nginx (pid 4); "
        f"port 7000 (store) is reserved by the project other ({tmp_path})"
    )
    assert caught.value.hint == "arcctl config set BIG_SHOP_HOST_PORT=7101 STORE_HOST_PORT=7001"
    assert (_entry(toy), toy.directory.chosen) == ({}, {})


def test_with_fixed_ports_only_what_is_started_counts(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7200)
    toy = Toy()
    asyncio.run(up.up(up.Request(words=("store",), fixed_ports=True), toy.project()))
    assert (_entry(toy), toy.directory.chosen) == ({"STORE_HOST_PORT": 7000}, {})
    with pytest.raises(PreflightError, match=r"port 7200 \(front\) is reserved by the project other"):
        asyncio.run(up.up(up.Request(words=("front",), fixed_ports=True), toy.project()))


def test_a_free_port_in_a_hint_is_one_that_no_project_has(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7001)
    toy = Toy()
    init(toy.project())
    assert toy.project().free_port(7000) == 7002


def test_the_owner_of_a_port_is_named_with_its_project_and_what_stops_that(tmp_path: Path) -> None:
    _other(tmp_path, REDIS_HOST_PORT=7000)
    owner = Toy(engine=FakeEngine(TOY, owners={7000: "container other_redis"})).project().port_owner(7000)
    assert (str(owner), owner.stop) == (
        f"container other_redis of the project other ({tmp_path})",
        "arcctl -p other down",
    )
    assert str(Toy(engine=FakeEngine(TOY, owners={7000: "container x"})).project().port_owner(7000)) == "container x"


def _choose(id: str, together: Barrier, found: multiprocessing.Queue[dict[str, int]]) -> None:
    toy = Toy(identity=Identity(id, id), directory=FakeDirectory(root=Path("/")))
    project = replace(toy.project(), ports=LoopbackPorts())
    together.wait()
    init(project)
    found.put(_entry(toy))


def test_projects_that_choose_at_the_same_instant_never_get_the_same_port() -> None:
    spawn, number = multiprocessing.get_context("fork"), 4
    together, found = spawn.Barrier(number), spawn.Queue()
    children = [spawn.Process(target=_choose, args=(f"p{n}", together, found)) for n in range(number)]
    with socket.create_server(("127.0.0.1", 7000)):
        for child in children:
            child.start()
        entries = [found.get(timeout=30) for _ in children]
        for child in children:
            child.join(30)
    chosen = [port for entry in entries for port in entry.values()]
    assert len(set(chosen)) == len(chosen) == number * len(USUAL)
    assert 7000 not in chosen
