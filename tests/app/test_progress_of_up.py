"""What `up` tells on its way, what it fetches, and what an interrupt leaves behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from arcctl.app import up
from arcctl.app.launch import Outcome
from arcctl.core.observed import ContainerState
from arcctl.core.ports import Target
from arcctl.core.probe import Answer
from tests.app.fakes import WELL, FakeEngine, FakeProber, Toy
from tests.core.toy import TOY

LOADING = Answer(False, "port 7000 answered -LOADING")


@dataclass
class Awakening(FakeProber):
    """The first looks at a port bring these answers, all later ones are well."""

    first: dict[int, list[Answer]] = field(default_factory=dict)

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]:
        return {key: (self.first.get(t.port) or [WELL]).pop(0) for key, t in targets.items()}


class Interrupted(FakeEngine):
    """Ctrl-C arrives while this container is being made."""

    at = ""

    def start(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        keys = list(keys)
        super().start(keys, recreate=recreate)
        if self.at in keys:
            raise KeyboardInterrupt


class Broken(FakeEngine):
    def fetch(self, key: str) -> Iterator[str]:
        yield "Pulling"
        raise RuntimeError("the network is gone")


def _up(toy: Toy, *words: str, wait: bool = True, timeout: float = 5.0) -> Outcome:
    outcome = asyncio.run(up.run(up.Request(words=words, wait=wait, timeout=timeout), toy.world())).outcome
    assert outcome is not None
    return outcome


@dataclass
class Slow(FakeEngine):
    """Containers take their time to come."""

    asked: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def start(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        self.asked.set()
        self.go_on.wait(10)
        super().start(keys, recreate=recreate)


def test_each_step_is_told_with_its_cause_and_each_answer_as_it_was_given() -> None:
    toy = Toy(prober=Awakening(first={7000: [LOADING, LOADING]}))
    _up(toy, "big-shop")
    assert toy.told == [
        "note services: store, big-shop",
        "note engine: Docker 28.5.2, Compose 2.40.3, 2 cores, 16.0 GiB memory",
        "working store create: does not exist",
        "waiting store port 7000 answered -LOADING",
        "ready store fine",
        "working shop-db create: does not exist",
        "ready shop-db is exited with exit code 0",
        "working big-shop create: does not exist",
        "ready big-shop fine",
        "working shop-exporter create: does not exist",
        "ready shop-exporter is running",
        "working store making shelf",
        "ready store made shelf",
        "working store making ticket",
        "ready store made ticket",
    ]
    assert [e.seconds for e in toy.events] == sorted(e.seconds for e in toy.events)


def test_a_reason_that_stays_the_same_is_told_once() -> None:
    toy = Toy(prober=Awakening(first={7000: [LOADING] * 4}))
    _up(toy, "store")
    assert toy.told.count("waiting store port 7000 answered -LOADING") == 1


def test_an_up_of_what_runs_asks_again_and_touches_nothing() -> None:
    toy = Toy()
    _up(toy, "store")
    toy.events.clear()
    toy.engine.calls.clear()
    _up(toy, "store")
    assert (toy.told, toy.engine.calls) == (["note services: store", "ready store fine"], [])


@pytest.mark.parametrize(
    ("state", "call"), [("paused", "unpause store"), ("exited", "start store"), ("absent", "start store")]
)
def test_what_does_not_run_is_brought_back_by_the_least_that_helps(state: str, call: str) -> None:
    toy = Toy()
    _up(toy, "store")
    toy.engine.states["store"] = replace(toy.engine.states["store"], state=state)
    toy.engine.calls.clear()
    assert _up(toy, "store").ready == ("store",)
    assert toy.engine.calls == [call]


def test_a_container_whose_file_changed_is_made_anew_and_then_left_alone() -> None:
    toy = Toy()
    _up(toy, "store")
    toy.home.files = "edited"
    toy.engine.calls.clear()
    _up(toy, "store")
    _up(toy, "store")
    assert toy.engine.calls == ["recreate store"]


def test_images_that_are_not_there_are_pulled_or_built_once_and_first() -> None:
    toy = Toy(engine=FakeEngine(TOY, lacking=frozenset({"toy/store:1.0", "toy/shop:3.1"})))
    _up(toy, "big-shop")
    assert toy.engine.calls[:3] == ["fetch store", "fetch big-shop", "start store"]
    assert [line for line in toy.told if "fetch" in line] == [
        "working store fetch store",
        "waiting store fetched store",
        "working big-shop fetch big-shop",
        "waiting big-shop fetched big-shop",
    ]


def test_a_pull_that_fails_starts_nothing() -> None:
    toy = Toy(engine=Broken(TOY, lacking=frozenset({"toy/store:1.0"})))
    with pytest.raises(RuntimeError, match="the network is gone"):
        _up(toy, "store")
    assert toy.engine.calls == []


def test_without_waiting_all_is_started_in_order_and_the_last_is_not_awaited() -> None:
    toy = Toy(prober=FakeProber({80: Answer(False, "HTTP 503 on /")}))
    outcome = _up(toy, "front", wait=False)
    assert toy.engine.calls[-1] == "start shop-exporter front"
    assert (outcome.failed, outcome.waiting) == ({}, {"front": "HTTP 503 on /"})


def test_a_service_without_a_published_port_is_ready_when_its_own_check_says_so() -> None:
    class Closed(FakeEngine):
        def _started(self, key: str) -> ContainerState:
            return replace(super()._started(key), ports={}, health="healthy")

    assert _up(Toy(engine=Closed(TOY)), "store").ready == ("store",)


def test_contract_doubles_are_named() -> None:
    class Double(FakeEngine):
        def _started(self, key: str) -> ContainerState:
            return replace(super()._started(key), double=True)

    assert _up(Toy(engine=Double(TOY)), "store").doubles == ("store",)


@pytest.mark.parametrize("at", ["store", "shop-db", "big-shop"])
def test_after_ctrl_c_the_next_up_finishes_what_was_begun(at: str) -> None:
    engine = Interrupted(TOY)
    engine.at = at
    toy = Toy(engine=engine)
    with pytest.raises(KeyboardInterrupt):
        _up(toy, "big-shop")
    assert toy.home.up == {"store", "big-shop"}
    assert toy.home.made[at] == ""
    engine.at, engine.calls = "", []
    outcome = _up(toy, "big-shop")
    assert (outcome.failed, outcome.waiting) == ({}, {})
    assert engine.calls[0] == f"recreate {at}"
    assert "" not in toy.home.made.values()


def test_what_earlier_ups_left_to_run_stays_remembered() -> None:
    toy = Toy()
    _up(toy, "front")
    _up(toy, "store")
    assert toy.home.up == {"store", "big-shop", "front"}


def test_an_interrupt_waits_for_the_containers_that_are_being_made() -> None:
    engine = Slow(TOY)

    async def interrupted() -> list[str]:
        run = asyncio.create_task(up.run(up.Request(words=("store",)), Toy(engine=engine).world()))
        await asyncio.to_thread(engine.asked.wait, 10)
        run.cancel()
        done, _ = await asyncio.wait((run,), timeout=0.05)
        assert not done
        engine.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await run
        return list(engine.calls)

    assert asyncio.run(interrupted()) == ["start store"]
