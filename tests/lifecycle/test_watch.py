"""What `up` learns while it waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from arcctl.engines.base import Observed
from arcctl.lifecycle.watch import Watch
from arcctl.model.probe import Answer
from arcctl.project import Target
from tests.fakes.catalogue import TOY
from tests.fakes.toy import ANSWERED, FakeDirectory, FakeEngine, FakeProber, Toy


@dataclass
class Hanging(FakeProber):
    """One port takes its time."""

    port: int = 0
    seconds: float = 0.3
    asked: list[int] = field(default_factory=list)

    async def ask(self, targets: Mapping[str, Target], timeout: float) -> Mapping[str, Answer]:
        self.asked += [target.port for target in targets.values()]
        if self.port in (target.port for target in targets.values()):
            await asyncio.sleep(self.seconds)
        return {key: ANSWERED for key in targets}


def _watch(toy: Toy) -> Watch:
    return Watch(toy.project(), asyncio.Event(), toy.engine.observe())


async def _until_answered(watch: Watch, *servers: str) -> float:
    began = time.monotonic()
    while not watch.answers.keys() >= set(servers):
        await watch.news(("store", "big-shop"))
    return time.monotonic() - began


def _toy(prober: FakeProber | None = None) -> Toy:
    secrets = {"STORE_PASSWORD": "a-long-enough-secret-1", "BIG_SHOP_TOKEN": "a-long-enough-secret-2"}
    return Toy(prober=prober or FakeProber(), directory=FakeDirectory(kept=secrets))


def _running(prober: FakeProber | None = None) -> Toy:
    toy = _toy(prober)
    toy.engine.start(["store", "big-shop"])
    return toy


def test_a_server_that_hangs_holds_up_no_other() -> None:
    async def both() -> tuple[float, float]:
        watch = _watch(_running(Hanging(port=7000)))
        return await _until_answered(watch, "big-shop"), await _until_answered(watch, "store", "big-shop")

    first, second = asyncio.run(both())
    assert first < second


def test_a_server_without_a_port_counts_as_asked() -> None:
    toy = _toy()

    async def asked() -> Answer | None:
        watch = _watch(toy)
        await _until_answered(watch, "store")
        return watch.answers["store"]

    assert asyncio.run(asked()) is None


def test_what_was_started_is_looked_at_before_it_is_asked_again() -> None:
    toy = _running(Hanging())

    async def forgotten() -> tuple[bool, set[str], set[str]]:
        watch = _watch(toy)
        await _until_answered(watch, "store")
        watch.forget(["store"])
        known, before = "store" in watch.answers, set(watch.unseen)
        while not await watch.news(("store",)):
            pass
        return known, before, watch.unseen

    assert asyncio.run(forgotten()) == (False, {"store"}, set())


@dataclass
class SlowLook(FakeEngine):
    """What the first look sees is old when it ends."""

    go_on: threading.Event = field(default_factory=threading.Event)

    def observe(self) -> Observed:
        seen = super().observe()
        self.go_on.wait(10)
        return seen


def test_a_look_that_began_before_a_start_is_not_used() -> None:
    engine = SlowLook(TOY)
    toy = Toy(engine=engine)

    async def looked() -> Observed:
        watch = Watch(toy.project(), asyncio.Event(), Observed({}))
        watch.changed.set()
        await watch.news(())
        engine.start(["store"])
        watch.forget(["store"])
        engine.go_on.set()
        while not await watch.news(()):
            pass
        return watch.observed

    assert asyncio.run(looked()).of("store").running


def test_nothing_is_left_behind_when_it_is_closed() -> None:
    prober = Hanging(port=7000, seconds=60)

    async def closed() -> None:
        watch = _watch(_running(prober))
        await watch.news(("store",))
        await watch.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(closed())
    assert prober.asked == [7000]
