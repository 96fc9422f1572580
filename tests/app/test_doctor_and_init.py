"""`doctor`, `init` and `info` on a toy platform."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.app import doctor, info, init, up
from arcctl.core.model import Link
from arcctl.errors import SecretsLost, SettingsError, UnknownService
from tests.app.fakes import FakeEngine, FakeHome, FakePorts, Toy
from tests.core.toy import TOY

SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}
NO_ENGINE = "no Docker engine answers"


def _home() -> FakeHome:
    return FakeHome(kept=dict(SECRETS))


def _findings(toy: Toy) -> list[str]:
    found = doctor.run(toy.world())
    return [f"{'ok' if f.ok else 'look'} {f.name}: {f.evidence}{'' if f.ok else f' -> {f.cure}'}" for f in found]


ENGINE = "ok engine: Docker 28.5.2, Compose 2.40.3, 2 cores, 16.0 GiB memory"
HOME = "ok home: /home/toy, secrets generated"


def test_on_a_healthy_machine_every_point_is_named_with_its_evidence() -> None:
    assert _findings(Toy(home=_home())) == [
        HOME,
        "ok settings: 11 values fit",
        ENGINE,
        "ok ports: all free or ours",
    ]


def test_a_fresh_machine_is_sent_to_init() -> None:
    found = _findings(Toy(engine=FakeEngine(TOY, away=NO_ENGINE)))
    assert found == [
        "look home: /home/toy has no secrets yet -> arcctl init",
        "look settings: BIG_SHOP_TOKEN: field required; STORE_PASSWORD: field required"
        " -> config/<service>/.env.example lists every setting with its meaning and default",
        f"look engine: {NO_ENGINE} -> start it",
    ]


def test_one_fault_does_not_hide_the_next() -> None:
    toy = Toy(
        home=_home(),
        environment={"FRONT_MOTO": "x", "FRONT_HTTP_PORT": "eighty"},
        engine=FakeEngine(TOY, away=NO_ENGINE),
    )
    assert _findings(toy) == [
        HOME,
        "look settings: FRONT_HTTP_PORT: input should be a valid integer, unable to parse string as an integer"
        " -> config/<service>/.env.example lists every setting with its meaning and default",
        "look environment: unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?"
        " -> unset it, or spell it as the setting is spelt",
        f"look engine: {NO_ENGINE} -> start it",
    ]


def test_an_old_compose_is_a_finding() -> None:
    toy = Toy(home=_home(), engine=FakeEngine(TOY, compose="2.20.0"))
    assert _findings(toy)[-1] == "look engine: Compose 2.20.0 is too old -> install Compose 2.24 or newer"


def test_a_port_that_a_service_could_not_have_is_named_with_its_owner() -> None:
    toy = Toy(home=_home(), ports=FakePorts({7000: "nginx (pid 42)", 7100: "x"}))
    assert _findings(toy)[-1] == (
        "look ports: taken: 7100 (big-shop) by x, 7000 (store) by nginx (pid 42) -> arcctl config show"
    )


def test_a_port_that_our_own_running_service_holds_is_ours() -> None:
    toy = Toy(home=_home())
    asyncio.run(up.run(up.Request(words=("store",), timeout=5.0), toy.world()))
    toy.ports = FakePorts({7000: "docker-proxy"})
    assert _findings(toy)[-1] == "ok ports: all free or ours"


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
        "the secrets of this home are gone, but its data is not: arc_store_data, arc_front_data"
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
