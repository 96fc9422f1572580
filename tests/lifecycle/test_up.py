"""`up` on a toy platform: order, refusal, failure, patience."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from arcctl.engines.base import Tell, silent
from arcctl.errors import EngineError, PreflightError, SecretsLost
from arcctl.lifecycle import up
from arcctl.lifecycle.report import UpReport
from arcctl.model.probe import Answer
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeDirectory, FakeEngine, FakePorts, FakeProber, Toy


def run(toy: Toy, *words: str, timeout: float = 5.0, dry_run: bool = False) -> UpReport:
    return asyncio.run(up.up(up.Request(words=words, timeout=timeout, dry_run=dry_run), toy.project()))


def outcome(toy: Toy, *words: str, timeout: float = 5.0) -> tuple[tuple[str, ...], dict[str, str], dict[str, str]]:
    found = run(toy, *words, timeout=timeout).outcome
    assert found is not None
    return found.ready, found.failed, found.waiting


def test_containers_start_in_waves_each_when_its_dependencies_are_ready() -> None:
    toy = Toy()
    ready, failed, waiting = outcome(toy, "front")
    assert toy.engine.calls == [
        "create store shop-db big-shop shop-exporter front",
        "start store",
        "start shop-db",
        "start big-shop",
        "start shop-exporter front",
    ]
    assert (ready, failed, waiting) == (("big-shop", "front", "shop-db", "shop-exporter", "store"), {}, {})
    assert toy.directory.up == {"store", "big-shop", "front"}


def test_a_second_up_changes_nothing() -> None:
    toy = Toy()
    run(toy, "front")
    toy.engine.calls.clear()
    result = run(toy, "front")
    assert (toy.engine.calls, result.plan.changes) == ([], ())


def test_up_waits_for_another_command_and_says_so_once() -> None:
    toy = Toy(directory=FakeDirectory(taken=2))
    run(toy, "store")
    assert toy.printed[0] == "note another arcctl command is changing this project: waiting for it to end"
    assert [line for line in toy.printed if "another" in line] == toy.printed[:1]
    assert toy.engine.calls == ["create store", "start store"]


def test_an_init_container_that_fails_fails_what_depends_on_it_and_nothing_else() -> None:
    toy = Toy(engine=FakeEngine(TOY, exit_codes={"shop-db": 3}))
    assert outcome(toy, "front") == (
        ("store",),
        {
            "shop-db": "exited with code 3",
            "big-shop": "depends on shop-db, which failed",
            "front": "depends on big-shop, which failed",
            "shop-exporter": "depends on big-shop, which failed",
        },
        {},
    )


def test_a_service_that_never_answers_ends_as_waiting_with_the_last_reason() -> None:
    toy = Toy(prober=FakeProber({8080: Answer(False, "HTTP 503 on /ready")}))
    ready, failed, waiting = outcome(toy, "big-shop", timeout=0.6)
    assert (ready, failed) == (("shop-db", "store"), {})
    assert waiting == {"big-shop": "HTTP 503 on /ready", "shop-exporter": "not started yet"}


def test_a_container_that_keeps_crashing_fails_before_the_timeout() -> None:
    toy = Toy(engine=FakeEngine(TOY, crashing=frozenset({"store"})))
    assert outcome(toy, "store", timeout=30.0) == ((), {"store": "crashed 3 times, last exit code 7"}, {})


def test_a_mounted_file_that_changed_recreates_its_container() -> None:
    toy = Toy()
    run(toy, "big-shop")
    toy.directory.files = "edited"
    steps = [str(step) for step in run(toy, "big-shop", dry_run=True).plan.changes]
    assert steps[0] == "recreate store: a mounted file or a secret changed"


def test_dry_run_decides_and_touches_nothing() -> None:
    toy = Toy()
    result = run(toy, "store", dry_run=True)
    assert [str(step) for step in result.plan.steps] == ["create store: not there yet"]
    assert (result.outcome, toy.engine.calls, toy.directory.kept) == (None, [], {})


def test_a_taken_port_is_refused_with_its_owner_before_anything_starts() -> None:
    toy = Toy(ports=FakePorts({7000: "nginx (pid 42)"}))
    toy.decide_ports()
    with pytest.raises(PreflightError, match=r"^port 7000 \(store\) is already in use by nginx \(pid 42\)$") as caught:
        run(toy, "store")
    assert (caught.value.exit_code, toy.engine.calls) == (5, [])


def test_a_compose_that_is_too_old_is_refused() -> None:
    with pytest.raises(EngineError, match=r"Compose 2\.20\.1 is too old"):
        run(Toy(engine=FakeEngine(TOY, compose="2.20.1")), "store")


def test_secrets_are_not_generated_over_existing_data() -> None:
    toy = Toy(engine=FakeEngine(TOY, kept=("arc_store_data",)))
    with pytest.raises(SecretsLost, match="arc_store_data"):
        run(toy, "store")
    assert toy.directory.kept == {}


def test_nothing_is_written_where_the_engine_does_not_know_which_data_is_that_of_the_project() -> None:
    toy = Toy(engine=FakeEngine(TOY, away="look in another folder"))
    with pytest.raises(EngineError, match="look in another folder"):
        run(toy, "store")
    assert (toy.directory.kept, toy.directory.runs_on, toy.directory.up) == ({}, "", frozenset())


class Slow(FakeEngine):
    """One whose components look changed until it was given time."""

    def recover(self, tell: Tell = silent) -> tuple[str, ...]:
        tell("waiting")
        self.states = {key: replace(now, changed=()) for key, now in self.states.items()}
        return ()


def test_what_only_looked_changed_is_not_restarted() -> None:
    toy = Toy(engine=Slow(TOY))
    run(toy, "store")
    toy.engine.calls.clear()
    toy.engine.states["store"] = replace(toy.engine.states["store"], changed=("nothing would start it again",))
    result = run(toy, "store")
    assert (toy.engine.calls, result.plan.changes) == ([], ())
    assert "note waiting" in toy.printed


def test_existing_secrets_stay_as_they_are() -> None:
    toy = Toy(directory=FakeDirectory(kept={"STORE_PASSWORD": "mine-since-long-ago"}))
    run(toy, "store")
    assert toy.directory.kept["STORE_PASSWORD"] == "mine-since-long-ago"
    assert "BIG_SHOP_TOKEN" in toy.directory.kept
