"""`secrets rotate` on a toy platform: order, refusal, and finishing what was interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from arcctl.errors import ArcError, RotationRefused, UnhealthyError, UsageError
from arcctl.lifecycle import up
from arcctl.model.rotation import Change
from arcctl.model.service import Catalogue
from arcctl.model.smoke_test import Call, Calls, SmokeTest, Step
from arcctl.project import Project
from arcctl.secrets import executor, rotate
from arcctl.secrets.report import RotateReport
from tests.fakes.catalogue import SHOP, TOY
from tests.fakes.smoke_test_runner import FakeSmokeTestRunner
from tests.fakes.toy import FakeDirectory, FakeEngine, Toy

NAME, OLD, NEW = "STORE_PASSWORD", "generated-for-store-password", "rotated-for-store-password"


@dataclass
class Store(FakeSmokeTestRunner):
    """A server that accepts some passwords, and forgets all but one when it is recreated."""

    accepted: set[str] = field(default_factory=lambda: {OLD})
    refusing_new: bool = False
    """Accepts no new one."""
    runs_until_recovery: float = 0
    """How often a service that uses it is still failing."""

    async def run(
        self, owner: str, smoke_test: SmokeTest, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        self.runs_until_recovery -= 1
        self.failing = frozenset({"big-shop"} if self.runs_until_recovery >= 0 else ())
        return await super().run(owner, smoke_test, ports, timeout)

    async def attempt(
        self,
        owner: str,
        smoke_tests: tuple[SmokeTest, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        for call in (call for smoke_test in smoke_tests if isinstance(smoke_test, Calls) for call in smoke_test.steps):
            verb, _, secret = call.name.partition(" ")
            if verb == "login" and secret not in self.accepted:
                return "wrong password", values
            if verb == "admit" and self.refusing_new:
                return "no more passwords", values
            if verb == "admit":
                self.accepted.add(secret)
        return "", values


@dataclass
class Restarting(FakeEngine):
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    store: Store = field(default_factory=Store)

    def create(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        keys = tuple(keys)
        if recreate and "store" in keys:
            self.store.accepted = {self.directory.kept[NAME]}
        super().create(keys, recreate=recreate)


def platform() -> tuple[Toy, Store]:
    """The toy, up, without events so far."""
    directory, store = FakeDirectory(), Store()
    toy = Toy(engine=Restarting(TOY, directory=directory, store=store), directory=directory)
    asyncio.run(up.up(up.Request(words=("front",)), toy.project()))
    toy.smoke_test_runner = store
    toy.engine.calls.clear()
    toy.events.clear()
    return toy, store


def run(toy: Toy, *words: str) -> RotateReport:
    return asyncio.run(rotate.rotate(words, toy.project()))


def test_who_uses_a_secret_changes_while_both_are_accepted_and_the_server_last() -> None:
    toy, store = platform()
    assert run(toy, NAME).rotated == (NAME,)
    assert [call for call in toy.engine.calls if "recreate" in call] == ["recreate shop-db", "recreate store"]
    assert (store.accepted, toy.directory.kept[NAME], toy.directory.journal) == ({NEW}, NEW, ())
    assert [line for line in toy.printed if NAME in line] == [
        "working STORE_PASSWORD set the new one on store: it accepts the old one too",
        "working STORE_PASSWORD write STORE_PASSWORD: to the files of the project",
        "working STORE_PASSWORD recreate shop-db: uses STORE_PASSWORD",
        "working STORE_PASSWORD recreate store: uses STORE_PASSWORD",
        "working STORE_PASSWORD verify store: accepts the new one, refuses the old one",
        "ready STORE_PASSWORD rotated",
    ]


@pytest.mark.parametrize(
    ("accepted", "kept"),
    [
        pytest.param({OLD}, OLD, id="before the first step"),
        pytest.param({OLD, NEW}, OLD, id="when the server accepts both"),
        pytest.param({OLD, NEW}, NEW, id="when it is written"),
        pytest.param({OLD}, NEW, id="when the server forgot again"),
        pytest.param({NEW}, NEW, id="when only the verification is left"),
    ],
)
def test_whatever_was_interrupted_the_next_rotation_ends_it_with_the_same_secret(accepted: set[str], kept: str) -> None:
    toy, store = platform()
    store.accepted, toy.directory.kept[NAME] = set(accepted), kept
    toy.directory.journal = (Change(name=NAME, old=OLD, new=NEW),)
    assert run(toy).rotated == (NAME,)
    assert NEW in store.accepted
    assert toy.directory.kept[NAME] == NEW
    assert list(toy.directory.journal) == []


def test_the_secrets_that_were_just_finished_are_not_changed_twice() -> None:
    toy, _ = platform()
    toy.directory.journal = (Change(name=NAME, old=OLD, new="from-the-journal"),)
    assert run(toy, NAME).rotated == (NAME,)
    assert toy.directory.kept[NAME] == "from-the-journal"


def test_the_journal_is_there_before_the_first_change_and_until_the_last_verification() -> None:
    toy, store = platform()
    store.refusing_new = True
    seen: list[tuple[Change, ...]] = []
    toy.directory.remember_rotation = lambda changes: seen.append(tuple(changes))  # type: ignore[method-assign]
    with pytest.raises(RotationRefused):
        run(toy, NAME)
    assert seen[-2:] == [(Change(name=NAME, old=OLD, new=NEW),), ()]


def refused(toy: Toy, *words: str) -> ArcError:
    with pytest.raises(ArcError) as found:
        run(toy, *words)
    return found.value


def test_a_server_that_accepts_no_new_one_is_refused_and_nothing_is_changed() -> None:
    toy, store = platform()
    store.refusing_new = True
    error = refused(toy, NAME)
    assert isinstance(error, RotationRefused)
    assert error.message == "STORE_PASSWORD was not changed: no more passwords"
    assert (toy.directory.kept[NAME], toy.directory.journal, toy.engine.calls) == (OLD, (), [])


def test_a_server_that_accepts_neither_keeps_the_journal_for_the_next_try() -> None:
    toy, store = platform()
    toy.directory.journal = (Change(name=NAME, old=OLD, new=NEW),)
    store.accepted = {"a-third-one"}
    error = refused(toy)
    assert isinstance(error, UnhealthyError)
    assert error.hint == "arcctl bootstrap store, then arcctl secrets rotate STORE_PASSWORD"
    assert toy.directory.journal == (Change(name=NAME, old=OLD, new=NEW),)


def test_a_secret_that_its_server_refuses_is_refused_by_name_and_left_out_of_all() -> None:
    toy, store = platform()
    store.accepted = {"a-third-one"}
    assert refused(toy, NAME).message.startswith("STORE_PASSWORD is not rotated: the server refuses the current one")
    assert run(toy, "all").rotated == ()
    assert toy.printed[-1].startswith("warning STORE_PASSWORD is not rotated")


def test_a_secret_of_the_users_own_is_refused_with_the_file_to_edit() -> None:
    toy, _ = platform()
    toy.environment[NAME] = "my-own-password"
    error = refused(toy, NAME)
    assert isinstance(error, UsageError)
    assert error.message == "STORE_PASSWORD is not rotated: it was set by hand, in environment"
    assert error.hint == "change STORE_PASSWORD in environment and run: arcctl up store big-shop"


def test_a_secret_that_cannot_be_changed_or_whose_server_is_down_is_refused_with_what_to_do() -> None:
    toy, _ = platform()
    assert refused(toy, "STORE_TICKET").message == "STORE_TICKET is not rotated: the store tells it"
    assert refused(toy, "BIG_SHOP_TOKEN").message.endswith("the declaration of big-shop does not say how")
    toy.engine.stop(["store"])
    error = refused(toy, NAME)
    assert (error.message, error.hint) == ("STORE_PASSWORD is not rotated: store is not running", "arcctl up store")


def test_a_layer_is_changed_as_far_as_it_can_be() -> None:
    toy, _ = platform()
    report = rotate.preview(("all",), toy.project())
    assert [s.name for s in report.secrets] == [NAME]
    assert {r.name for r in report.left_out} == {"STORE_TICKET", "BIG_SHOP_TOKEN"}


def _with_a_smoke_test(toy: Toy) -> Project:
    test = Calls((Call("find the order", 8080, "/order"),))
    shop = replace(SHOP, checks=replace(SHOP.checks, smoke_tests=lambda env: (test,)))
    return replace(toy.project(), catalogue=Catalogue({**TOY.services, "big-shop": shop}))


def test_a_service_that_needs_a_moment_to_reconnect_is_waited_for() -> None:
    toy, store = platform()
    store.runs_until_recovery = 1
    assert asyncio.run(rotate.rotate((NAME,), _with_a_smoke_test(toy))).broken == {}


def test_a_service_that_does_not_recover_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "RECOVERY", 0.1)
    toy, store = platform()
    store.runs_until_recovery = float("inf")
    report = asyncio.run(rotate.rotate((NAME,), _with_a_smoke_test(toy)))
    assert report.broken == {"big-shop": "find the order: no answer"}
