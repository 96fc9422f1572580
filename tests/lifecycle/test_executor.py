"""What `up` tells on its way, what it fetches, and what an interrupt leaves behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from arcctl.engines.base import ContainerState, Observed
from arcctl.events import Kind
from arcctl.lifecycle import executor, up
from arcctl.lifecycle.report import Outcome
from arcctl.model.image import Image
from arcctl.model.probe import Answer
from arcctl.project import Target
from tests.fakes.catalogue import TOY
from tests.fakes.images import FakeImages
from tests.fakes.toy import ANSWERED, FakeEngine, FakeProber, Toy

LOADING = Answer(False, "port 7000 answered -LOADING")


@dataclass
class Awakening(FakeProber):
    """The first looks at a port bring these answers, all later ones are well."""

    first: dict[int, list[Answer]] = field(default_factory=dict)

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]:
        return {key: (self.first.get(t.port) or [ANSWERED]).pop(0) for key, t in targets.items()}


class Interrupted(FakeEngine):
    """Ctrl-C arrives while containers are created, or while this one is started."""

    at = ""

    def create(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        super().create(keys, recreate=recreate)
        if self.at == "create":
            raise KeyboardInterrupt

    def start(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        super().start(keys)
        if self.at in keys:
            raise KeyboardInterrupt


class Broken(FakeEngine):
    def fetch(self, key: str) -> Iterator[str]:
        yield "Pulling"
        raise RuntimeError("the network is gone")


def _up(toy: Toy, *words: str, wait: bool = True, timeout: float = 5.0) -> Outcome:
    outcome = asyncio.run(up.up(up.Request(words=words, wait=wait, timeout=timeout), toy.project())).outcome
    assert outcome is not None
    return outcome


@dataclass
class Slow(FakeEngine):
    """Containers take their time to come."""

    asked: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def start(self, keys: Iterable[str]) -> None:
        self.asked.set()
        self.go_on.wait(10)
        super().start(keys)


def test_events_have_the_cause_of_each_step_and_the_answer_of_each_probe() -> None:
    toy = Toy(prober=Awakening(first={7000: [LOADING, LOADING]}))
    _up(toy, "big-shop")
    assert toy.printed == [
        "note services: store, big-shop",
        "note engine: Docker 28.5.2, Compose 2.40.3, 2 cores, 16.0 GiB memory",
        "working store creating: not there yet",
        "working shop-db creating: not there yet",
        "working big-shop creating: not there yet",
        "working shop-exporter creating: not there yet",
        "waiting store port 7000 answered -LOADING",
        "ready store fine",
        "ready shop-db finished",
        "ready big-shop fine",
        "ready shop-exporter running",
        "working store creating shelf",
        "ready store created shelf",
        "working store creating ticket",
        "ready store created ticket",
    ]
    assert [e.seconds for e in toy.events] == sorted(e.seconds for e in toy.events)
    assert [f"{e.kind} {e.subject}" for e in toy.events if e.subject and not e.detail] == [
        "ready store",
        "ready big-shop",
    ]


def test_a_reason_that_stays_the_same_is_reported_once() -> None:
    toy = Toy(prober=Awakening(first={7000: [LOADING] * 4}))
    _up(toy, "store")
    assert toy.printed.count("waiting store port 7000 answered -LOADING") == 1


def test_an_up_of_what_runs_asks_again_and_touches_nothing() -> None:
    toy = Toy()
    _up(toy, "store")
    toy.events.clear()
    toy.engine.calls.clear()
    _up(toy, "store")
    assert (toy.printed, toy.engine.calls) == (["note services: store", "ready store fine"], [])


@pytest.mark.parametrize(
    ("state", "calls"),
    [("paused", ["unpause store"]), ("exited", ["start store"]), ("absent", ["create store", "start store"])],
)
def test_a_stopped_container_is_started_and_not_recreated(state: str, calls: list[str]) -> None:
    toy = Toy()
    _up(toy, "store")
    toy.engine.states["store"] = replace(toy.engine.states["store"], state=state)
    toy.engine.calls.clear()
    assert _up(toy, "store").ready == ("store",)
    assert toy.engine.calls == calls


@dataclass
class Stopping(FakeEngine):
    """Still carries out the stop of an earlier command: what runs is stopped so many times when it is looked at."""

    stops: int = 0

    def observe(self) -> Observed:
        seen = super().observe()
        if self.states and self.stops:
            self.stops -= 1
            self._become(["store"], "exited")
        return seen


def test_a_container_that_is_removed_while_up_waits_is_created_again() -> None:
    class Removing(FakeEngine):
        removed = False

        def observe(self) -> Observed:
            if not self.removed and any(state.running for state in self.states.values()):
                self.removed = True
                self.states.clear()
            return super().observe()

    engine = Removing(TOY)
    toy = Toy(engine=engine, prober=Awakening(first={7000: [LOADING]}))
    assert _up(toy, "store").ready == ("store",)
    assert engine.calls == ["create store", "start store", "start store"]


def test_an_up_of_what_crashed_and_runs_again_remembers_its_start() -> None:
    """So that `health` tells the crash until an `up` saw the server well, and no longer."""
    toy = Toy()
    _up(toy, "store")
    toy.engine.states["store"] = replace(toy.engine.states["store"], started_at="2026-01-31T11:00:00Z")
    _up(toy, "store")
    assert toy.project().directory.started_at()["store"] == "2026-01-31T11:00:00Z"


@pytest.mark.parametrize(("stops", "failed"), [(1, {}), (9, {"store": "stopped 4 times"})])
def test_a_container_that_stops_while_up_waits_is_started_again_a_few_times(stops: int, failed: dict[str, str]) -> None:
    engine = Stopping(TOY)
    toy = Toy(engine=engine, prober=Awakening(first={7000: [LOADING] * 9}))
    engine.start(["store"])
    engine.stops = stops
    outcome = _up(toy, "store")
    assert outcome.failed == failed
    assert engine.calls.count("start store") == 1 + min(stops, executor.CRASHES)


def test_a_container_whose_file_changed_is_recreated_once() -> None:
    toy = Toy()
    _up(toy, "store")
    toy.directory.files = "edited"
    toy.engine.calls.clear()
    _up(toy, "store")
    _up(toy, "store")
    assert toy.engine.calls == ["recreate store", "start store"]


def test_what_no_registry_has_is_built_first_and_once() -> None:
    toy = Toy(engine=FakeEngine(TOY, lacking=frozenset({"toy/store:1.0", "toy/shop:3.1"})))
    _up(toy, "big-shop")
    assert [call.split()[0] for call in toy.engine.calls[:4]] == ["fetch", "fetch", "create", "start"]
    assert [line for line in toy.printed if "fetch" in line] == [
        "working store fetch store",
        "working store fetched store",
        "working big-shop fetch big-shop",
        "working big-shop fetched big-shop",
    ]


def test_images_are_pulled_at_once_then_the_others_built_then_containers_created() -> None:
    remote = {reference: Image(reference=reference, id="sha") for reference in ("toy/store:1.0", "toy/exporter:2")}
    lacking = frozenset({*remote, "toy/shop:3.1"})
    engine = FakeEngine(TOY, lacking=lacking)
    engine.image_store = FakeImages(remote=remote, calls=engine.calls)
    toy = Toy(engine=engine)
    _up(toy, "big-shop")
    assert engine.calls[:2] == ["pull toy/exporter:2 toy/store:1.0", "fetch big-shop"]
    assert engine.calls[2].startswith("create ")
    assert [e.subject for e in toy.events if e.kind is Kind.PULLING and not e.detail] == [
        "toy/exporter:2",
        "toy/store:1.0",
    ]


def test_a_build_that_fails_starts_nothing() -> None:
    toy = Toy(engine=Broken(TOY, lacking=frozenset({"toy/store:1.0"})))
    with pytest.raises(RuntimeError, match="the network is gone"):
        _up(toy, "store")
    assert toy.engine.calls == []


def test_without_waiting_everything_is_started_in_order() -> None:
    toy = Toy(prober=FakeProber({80: Answer(False, "HTTP 503 on /")}))
    outcome = _up(toy, "front", wait=False)
    assert toy.engine.calls[-1] == "start shop-exporter front"
    assert (outcome.failed, outcome.waiting) == ({}, {"front": "HTTP 503 on /"})


def test_a_service_without_a_published_port_is_ready_when_its_own_check_says_so() -> None:
    class Closed(FakeEngine):
        def _started(self, key: str) -> ContainerState:
            return replace(super()._started(key), ports={}, health="healthy")

    assert _up(Toy(engine=Closed(TOY)), "store").ready == ("store",)


def test_stubs_are_named() -> None:
    class Double(FakeEngine):
        def _started(self, key: str) -> ContainerState:
            return replace(super()._started(key), stub=True)

    assert _up(Toy(engine=Double(TOY)), "store").stubs == ("store",)


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("create", "recreate store shop-db big-shop shop-exporter"),
        ("store", "start shop-db"),
        ("shop-db", "start big-shop"),
        ("big-shop", "start shop-exporter"),
    ],
)
def test_after_ctrl_c_the_next_up_finishes_what_was_begun(at: str, first: str) -> None:
    """What was being created may be anything, so it is created again."""
    engine = Interrupted(TOY)
    engine.at = at
    toy = Toy(engine=engine)
    with pytest.raises(KeyboardInterrupt):
        _up(toy, "big-shop")
    assert toy.directory.up == {"store", "big-shop"}
    assert ("" in toy.directory.made.values()) == (at == "create")
    engine.at, engine.calls = "", []
    outcome = _up(toy, "big-shop")
    assert (outcome.failed, outcome.waiting) == ({}, {})
    assert engine.calls[0] == first
    assert "" not in toy.directory.made.values()


def test_services_of_earlier_ups_stay_remembered() -> None:
    toy = Toy()
    _up(toy, "front")
    _up(toy, "store")
    assert toy.directory.up == {"store", "big-shop", "front"}


def test_an_interrupt_waits_for_containers_that_are_being_created() -> None:
    engine = Slow(TOY)

    async def interrupted() -> list[str]:
        run = asyncio.create_task(up.up(up.Request(words=("store",)), Toy(engine=engine).project()))
        await asyncio.to_thread(engine.asked.wait, 10)
        run.cancel()
        done, _ = await asyncio.wait((run,), timeout=0.05)
        assert not done
        engine.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await run
        return list(engine.calls)

    assert asyncio.run(interrupted()) == ["create store", "start store"]


SILENT = Answer(False, "no answer on port 7000 in 2.0 s", timed_out=True)


def test_a_server_that_ran_before_and_answers_nobody_is_restarted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "PATIENCE", 0.0)
    toy = Toy()
    _up(toy, "store")
    toy.prober = Awakening(first={7000: [SILENT, SILENT, SILENT]})
    toy.engine.calls.clear()
    assert _up(toy, "store").ready == ("store",)
    assert [call for call in toy.engine.calls if "start" in call] == ["restart store"]
    assert f"working store restarting: {SILENT.reason}" in toy.printed


@pytest.mark.parametrize("answer", [LOADING, SILENT], ids=["it answers", "not for long"])
def test_a_server_that_only_needs_time_is_not_restarted(answer: Answer) -> None:
    toy = Toy()
    _up(toy, "store")
    toy.prober = Awakening(first={7000: [answer]})
    toy.engine.calls.clear()
    assert _up(toy, "store").ready == ("store",)
    assert not any("restart" in call for call in toy.engine.calls)


def test_the_init_containers_of_a_server_that_is_not_ready_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "PATIENCE", 0.0)
    toy = Toy()
    _up(toy, "big-shop")
    toy.prober = Awakening(first={8080: [LOADING, LOADING]})
    toy.engine.calls.clear()
    assert "big-shop" in _up(toy, "big-shop").ready
    assert [call for call in toy.engine.calls if "start" in call] == ["start shop-db"]
    assert "working shop-db starting: its service is not ready" in toy.printed


def test_a_server_that_crashed_needs_no_patience() -> None:
    toy = Toy()
    _up(toy, "big-shop")
    toy.engine.states["big-shop"] = replace(toy.engine.states["big-shop"], restarts=1)
    toy.prober = Awakening(first={8080: [LOADING, LOADING]})
    toy.engine.calls.clear()
    assert "big-shop" in _up(toy, "big-shop").ready
    assert [call for call in toy.engine.calls if "start" in call] == ["start shop-db"]


def test_what_started_just_now_is_not_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "PATIENCE", 0.0)
    toy = Toy()
    _up(toy, "store")
    toy.engine.states["store"] = replace(toy.engine.states["store"], started_at="2026-01-31T11:00:00Z")
    toy.prober = Awakening(first={7000: [SILENT, SILENT]})
    toy.engine.calls.clear()
    assert _up(toy, "store").ready == ("store",)
    assert not any("restart" in call for call in toy.engine.calls)
