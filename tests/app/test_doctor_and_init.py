"""`doctor`, `init` and `info` on a toy platform."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from arcctl.app import doctor, info, init, up
from arcctl.core.checkup.facts import EngineReport, HomeFacts, Host
from arcctl.core.checkup.finding import Leftover, Mend, State
from arcctl.core.model import Link
from arcctl.errors import SecretsLost, SettingsError, UnknownService
from tests.app.fakes import FakeEngine, FakeHome, FakePorts, Toy
from tests.core.machines import DOCKER, WELL
from tests.core.toy import STORE, TOY

SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}
NO_ENGINE = "no Docker engine answers"


def _home() -> FakeHome:
    return FakeHome(kept=dict(SECRETS), up=frozenset({STORE.id}))


@dataclass
class FakeExaminer:
    """A machine on which nothing is wrong but what is said."""

    report: EngineReport = WELL.engine
    leftovers: tuple[str, ...] = ()

    def host(self) -> Host:
        return WELL.host

    def home(self) -> HomeFacts:
        return replace(WELL.home, leftovers=self.leftovers)

    def engine(self) -> EngineReport:
        return self.report

    def mend(self, mend: Mend) -> str:
        assert isinstance(mend, Leftover)
        self.leftovers = tuple(path for path in self.leftovers if path != mend.path)
        return f"removed {mend.path}"


def _complaints(toy: Toy, examiner: FakeExaminer | None = None) -> list[str]:
    """What is not as it should be, as one reads it."""
    found = doctor.run(toy.world(), examiner or FakeExaminer()).findings
    return [f"{f.state} {f.id}: {f.evidence} -> {f.fix}" for f in found if f.state is not State.OK]


def test_where_nothing_is_wrong_no_point_complains_and_the_engine_is_named() -> None:
    toy = Toy(home=_home())
    report = doctor.run(toy.world(), FakeExaminer())
    assert (report.engine, report.passed, report.mended) == ("fake", True, ())
    assert report.summary == {"ok": len(report.findings), "warn": 0, "problem": 0, "unknown": 0}


def test_one_fault_does_not_hide_the_next() -> None:
    toy = Toy(
        home=_home(),
        environment={"FRONT_MOTO": "x", "FRONT_HTTP_PORT": "eighty", "HTTPS_PROXY": "http://proxy:3128"},
    )
    assert _complaints(toy, FakeExaminer(EngineReport(name="fake", problem=(NO_ENGINE, "start it")))) == [
        "problem settings: FRONT_HTTP_PORT: input should be a valid integer, unable to parse string as an integer"
        " -> config/<service>/.env.example lists every setting with its meaning and default",
        "warn environment: unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?"
        " -> unset it, or spell it as the setting is spelt",
        "problem engine: no Docker engine answers -> start it",
        "warn proxy: HTTPS_PROXY without 127.0.0.1 and localhost in NO_PROXY: programs would ask the proxy for your"
        " services -> export NO_PROXY=127.0.0.1,localhost,.localhost",
        "unknown ports: cannot be looked at before settings and engine are well -> ",
    ]


def test_a_port_that_a_service_could_not_have_is_named_with_its_owner() -> None:
    toy = Toy(home=_home(), ports=FakePorts({7000: "nginx (pid 42)", 7100: "x"}))
    assert _complaints(toy) == [
        "problem ports: taken: 7100 (big-shop) by x, 7000 (store) by nginx (pid 42)"
        " -> free them, or set other ones: arcctl config show"
    ]


def test_a_port_that_our_own_running_service_holds_is_ours() -> None:
    toy = Toy(home=_home())
    asyncio.run(up.run(up.Request(words=("store",), timeout=5.0), toy.world()))
    toy.ports = FakePorts({7000: "docker-proxy"})
    assert _complaints(toy) == []


def test_ports_that_only_root_may_have_are_named_where_the_engine_is_not_root() -> None:
    lines = _complaints(Toy(home=_home()), FakeExaminer(replace(DOCKER, rootless=True)))
    (found,) = [line for line in lines if "low-ports" in line]
    assert found.startswith("warn low-ports: 80 (front) below 1024, where only root may listen -> ")


def test_fix_mends_what_is_safe_says_so_and_looks_again() -> None:
    toy, examiner = Toy(home=_home()), FakeExaminer(leftovers=(".arcctl/.half",))
    assert _complaints(toy, examiner) == [
        "warn unfinished: left by a command that was killed: .arcctl/.half -> arcctl doctor --fix"
    ]
    report = doctor.fix(toy.world(), examiner)
    assert report.mended == ("removed .arcctl/.half",)
    assert _complaints(toy, examiner) == []
    assert doctor.fix(toy.world(), examiner).mended == ()


def test_init_draws_what_is_missing_and_says_what() -> None:
    toy = Toy(home=FakeHome(kept={"STORE_PASSWORD": "mine-since-long-ago"}))
    assert init.run(toy.world()) == init.Result(toy.home.root, ("BIG_SHOP_TOKEN",))
    assert toy.home.kept["STORE_PASSWORD"] == "mine-since-long-ago"
    assert init.run(toy.world()).generated == ()


def test_init_draws_nothing_for_a_secret_that_the_environment_brings() -> None:
    toy = Toy(environment={"STORE_PASSWORD": "mine-from-the-vault"})
    assert init.run(toy.world()).generated == ("BIG_SHOP_TOKEN",)
    assert "STORE_PASSWORD" not in toy.home.kept


def test_init_works_where_no_engine_answers() -> None:
    toy = Toy(engine=FakeEngine(TOY, away=NO_ENGINE))
    assert set(init.run(toy.world()).generated) == set(SECRETS)


def test_init_refuses_to_lock_data_away() -> None:
    toy = Toy(engine=FakeEngine(TOY, kept=("arc_store_data", "arc_front_data")))
    with pytest.raises(SecretsLost) as caught:
        init.run(toy.world())
    assert caught.value.message == (
        "this home has no secrets, and the engine holds data of a platform: arc_store_data, arc_front_data"
    )
    assert (caught.value.exit_code, "arcctl clean" in caught.value.hint, toy.home.kept) == (2, True, {})


def test_a_new_service_gets_its_secret_beside_data_and_secrets_that_exist() -> None:
    toy = Toy(home=FakeHome(kept={"STORE_PASSWORD": "kept"}), engine=FakeEngine(TOY, kept=("arc_store_data",)))
    assert init.run(toy.world()).generated == ("BIG_SHOP_TOKEN",)


def test_info_tells_addresses_with_the_settings_as_they_are_now() -> None:
    toy = Toy(home=_home(), environment={"STORE_HOST_PORT": "7777"})
    assert info.run(("store",), toy.world()) == (
        info.Entry(
            service="store",
            title="Store",
            layer="observability",
            image="toy/store:1.0",
            links=(Link(name="wire", url="store://127.0.0.1:7777"),),
        ),
    )


def test_info_of_nothing_in_particular_is_about_all_and_asks_no_engine() -> None:
    toy = Toy(home=_home(), engine=FakeEngine(TOY, away=NO_ENGINE))
    assert [entry.service for entry in info.run((), toy.world())] == ["big-shop", "front", "store"]


def test_info_needs_secrets_and_names_that_exist() -> None:
    with pytest.raises(SettingsError, match="BIG_SHOP_TOKEN: field required"):
        info.run((), Toy().world())
    with pytest.raises(UnknownService):
        info.run(("stor",), Toy(home=_home()).world())
