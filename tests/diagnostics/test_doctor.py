"""`doctor` and `init` on a toy platform."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from arcctl.diagnostics import doctor
from arcctl.diagnostics.diagnosis import Leftover, Repair, State
from arcctl.diagnostics.facts import EngineReport, Host, ProjectFacts, Removable
from arcctl.engines.base import ContainerState
from arcctl.lifecycle import up
from arcctl.model.service import Catalogue
from arcctl.services.presets.web import web
from tests.fakes.catalogue import FRONT, STORE, TOY
from tests.fakes.machines import DISK, DOCKER, FINE
from tests.fakes.toy import Failing, FakeDirectory, FakePorts, Toy

SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}
NO_ENGINE = "cannot reach the Docker engine"


def _directory() -> FakeDirectory:
    return FakeDirectory(kept=dict(SECRETS), up=frozenset({STORE.id}))


@dataclass
class FakeCollector:
    """A machine without problems but the given ones."""

    report: EngineReport = FINE.engine
    leftovers: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()

    def host(self) -> Host:
        return FINE.host

    def directory(self) -> ProjectFacts:
        return replace(FINE.directory, leftovers=self.leftovers)

    def engine(self) -> EngineReport:
        return self.report

    def unresolved(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.unknown_names)

    def removable(self, path: str) -> tuple[Removable, ...]:
        return (Removable(what=f"a backup on {path}", size=1 << 20, command="arcctl backup delete NAME"),)

    def repair(self, repair: Repair) -> str:
        assert isinstance(repair, Leftover)
        self.leftovers = tuple(path for path in self.leftovers if path != repair.path)
        return f"removed {repair.path}"


def _complaints(toy: Toy, collector: FakeCollector | None = None) -> list[str]:
    """Every diagnosis that is not ok, as it is shown."""
    found = doctor.diagnose(toy.project(), collector or FakeCollector()).diagnoses
    return [f"{f.state} {f.id}: {f.evidence} -> {f.fix}" for f in found if f.state is not State.OK]


def test_without_problems_every_diagnosis_is_ok() -> None:
    toy = Toy(directory=_directory())
    report = doctor.diagnose(toy.project(), FakeCollector())
    assert (report.engine, report.passed, report.repaired) == ("fake", True, ())
    assert report.summary == {"ok": len(report.diagnoses), "warn": 0, "problem": 0, "unknown": 0}


@pytest.mark.parametrize(("complete", "told"), [(frozenset({STORE.id}), False), (frozenset[str](), True)])
def test_data_of_a_project_that_was_stopped_is_its_own(complete: frozenset[str], told: bool) -> None:
    directory = FakeDirectory(kept=dict(SECRETS), complete=complete)
    assert any("old-data" in line for line in _complaints(Toy(directory=directory))) is told


def test_one_problem_does_not_hide_the_next() -> None:
    toy = Toy(
        directory=_directory(),
        environment={"FRONT_MOTO": "x", "FRONT_HTTP_PORT": "eighty", "HTTPS_PROXY": "http://proxy:3128"},
    )
    assert _complaints(toy, FakeCollector(EngineReport(name="fake", problem=(NO_ENGINE, "start it")))) == [
        "problem settings: FRONT_HTTP_PORT: input should be a valid integer, unable to parse string as an integer"
        " -> config/<service>/.env.example lists every setting with its meaning and default",
        "warn environment: unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?"
        " -> unset it or correct its name; to see the names: arcctl config show",
        "problem engine: cannot reach the Docker engine -> start it",
        "warn proxy: HTTPS_PROXY is set without 127.0.0.1 and localhost in NO_PROXY: requests to your services go to"
        " the proxy -> export NO_PROXY=127.0.0.1,localhost,.localhost",
        "unknown ports: not checked: this needs valid settings and an engine -> ",
    ]


def test_a_port_that_another_program_uses_is_named_with_its_owner() -> None:
    toy = Toy(directory=_directory(), ports=FakePorts({7000: "nginx (pid 42)", 7100: "x"}))
    assert _complaints(toy) == [
        "problem ports: 7100 (big-shop) is used by x, 7000 (store) is used by nginx (pid 42)"
        " -> stop that program, or set another port; to see the settings: arcctl config show"
    ]


def test_two_services_on_one_port_are_named_with_a_free_one() -> None:
    toy = Toy(directory=_directory(), environment={"BIG_SHOP_HOST_PORT": "7000"})
    assert _complaints(toy) == [
        "problem ports-twice: port 7000 is used twice: by big-shop (HOST_PORT) and by store (HOST_PORT)"
        " -> arcctl config set store HOST_PORT 7001"
    ]


def test_a_port_of_a_running_service_is_no_problem() -> None:
    toy = Toy(directory=_directory())
    asyncio.run(up.up(up.Request(words=("store",), timeout=5.0), toy.project()))
    toy.ports = FakePorts({7000: "docker-proxy"})
    assert _complaints(toy) == []


def test_ports_below_1024_are_named_for_an_engine_without_root() -> None:
    lines = _complaints(Toy(directory=_directory()), FakeCollector(replace(DOCKER, rootless=True)))
    (found,) = [line for line in lines if "low-ports" in line]
    assert found.startswith("warn low-ports: only root may listen below 1024: 80 (front) -> ")


def test_names_that_the_machine_does_not_resolve_are_told_with_two_ways_out() -> None:
    toy = Toy(directory=_directory())
    front = replace(FRONT, network=replace(FRONT.network, labels=lambda env: web("front", 80, env.project)))
    project = replace(toy.project(), catalogue=Catalogue({**TOY.services, "front": front}))
    found = doctor.diagnose(project, FakeCollector(unknown_names=("front.localhost", "nobody.localhost"))).diagnoses
    (told,) = [f"{d.state}: {d.evidence} -> {d.fix}" for d in found if d.id == "names"]
    assert told == (
        "warn: this machine does not resolve front.localhost, which the gateway serves; browsers do"
        " -> curl --resolve front.localhost:80:127.0.0.1 http://front.localhost:80;"
        " for all programs: echo 127.0.0.1 front.localhost | sudo tee -a /etc/hosts"
    )
    (fine,) = [
        f"{d.state}: {d.evidence}" for d in doctor.diagnose(project, FakeCollector()).diagnoses if d.id == "names"
    ]
    assert fine == "ok: this machine resolves the names that the gateway serves"


def test_why_a_service_crashed_is_told() -> None:
    toy = Toy(directory=_directory(), engine=Failing(TOY, said="write /x: no space left on device"))
    toy.engine.states["store"] = ContainerState(state="dead", exit_code=1)
    assert _complaints(toy) == [
        "problem store-space: store cannot write: write /x: no space left on device -> arcctl doctor"
    ]


def test_fix_repairs_what_is_safe_and_diagnoses_again() -> None:
    toy, collector = Toy(directory=_directory()), FakeCollector(leftovers=(".arcctl/.half",))
    assert _complaints(toy, collector) == [
        "warn unfinished: left by an interrupted command: .arcctl/.half -> arcctl doctor --fix"
    ]
    report = doctor.fix(toy.project(), collector)
    assert report.repaired == ("removed .arcctl/.half",)
    assert _complaints(toy, collector) == []
    assert doctor.fix(toy.project(), collector).repaired == ()


def test_what_can_be_removed_is_looked_for_where_a_disk_is_full() -> None:
    assert DOCKER.facts
    full = replace(DOCKER, facts=replace(DOCKER.facts, disk=replace(DISK, free=0)))
    assert _complaints(Toy(directory=_directory()), FakeCollector(full)) == [
        "problem disk: /var/lib: 0 MiB of 100.0 GiB free (0 %)"
        " -> arcctl backup delete NAME (a backup on /var/lib, 1 MiB)"
    ]
