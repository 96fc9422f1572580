"""`secrets rotate` on a toy platform: order, refusal, and finishing what was interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from arcctl.app import rotate, up
from arcctl.core.proof import Calls, Proof
from arcctl.core.secret import Change
from arcctl.errors import ArcError, RotationRefused, UnhealthyError, UsageError
from tests.app.fake_prover import FakeProver
from tests.app.fakes import FakeEngine, FakeHome, Toy
from tests.core.toy import TOY

NAME, OLD, NEW = "STORE_PASSWORD", "drawn-for-store-password", "anew-for-store-password"


@dataclass
class Store(FakeProver):
    """A server that takes some passwords, and forgets all but one when it is made anew."""

    taken: set[str] = field(default_factory=lambda: {OLD})
    deaf: bool = False
    """Takes no new one."""
    said: list[str] = field(default_factory=list)

    async def attempt(
        self,
        owner: str,
        proofs: tuple[Proof, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        for call in (call for proof in proofs if isinstance(proof, Calls) for call in proof.steps):
            verb, _, secret = call.name.partition(" ")
            if verb == "login" and secret not in self.taken:
                return "wrong password", values
            if verb == "admit" and self.deaf:
                return "no more passwords", values
            if verb == "admit":
                self.taken.add(secret)
        return "", values


@dataclass
class Restarting(FakeEngine):
    home: FakeHome = field(default_factory=FakeHome)
    store: Store = field(default_factory=Store)

    def start(self, keys: Iterable[str], *, recreate: bool = False) -> None:
        keys = tuple(keys)
        if recreate and "store" in keys:
            self.store.taken = {self.home.kept[NAME]}
        super().start(keys, recreate=recreate)


def platform() -> tuple[Toy, Store]:
    """The toy, up, with nothing told yet."""
    home, store = FakeHome(), Store()
    toy = Toy(engine=Restarting(TOY, home=home, store=store), home=home)
    asyncio.run(up.run(up.Request(words=("front",)), toy.world()))
    toy.prover = store
    toy.engine.calls.clear()
    toy.events.clear()
    return toy, store


def run(toy: Toy, *words: str) -> rotate.Result:
    return asyncio.run(rotate.run(words, toy.world()))


def test_who_uses_a_secret_changes_while_both_are_taken_and_the_server_last() -> None:
    toy, store = platform()
    assert run(toy, NAME).rotated == (NAME,)
    assert [call for call in toy.engine.calls if "recreate" in call] == ["recreate shop-db", "recreate store"]
    assert (store.taken, toy.home.kept[NAME], toy.home.journal) == ({NEW}, NEW, ())
    assert [line for line in toy.told if NAME in line] == [
        "working STORE_PASSWORD admit store: takes the old one and the new one",
        "working STORE_PASSWORD write: STORE_PASSWORD in the files of the home",
        "working STORE_PASSWORD recreate shop-db: holds STORE_PASSWORD",
        "working STORE_PASSWORD recreate store: holds STORE_PASSWORD",
        "working STORE_PASSWORD prove store: takes the new one, refuses the old one",
        "ready STORE_PASSWORD rotated",
    ]


@pytest.mark.parametrize(
    ("taken", "kept"),
    [
        pytest.param({OLD}, OLD, id="before anything"),
        pytest.param({OLD, NEW}, OLD, id="when the server takes both"),
        pytest.param({OLD, NEW}, NEW, id="when it is written"),
        pytest.param({OLD}, NEW, id="when the server forgot again"),
        pytest.param({NEW}, NEW, id="when only the proof is left"),
    ],
)
def test_whatever_was_interrupted_the_next_rotation_ends_it_with_the_same_secret(taken: set[str], kept: str) -> None:
    toy, store = platform()
    store.taken, toy.home.kept[NAME] = set(taken), kept
    toy.home.journal = (Change(name=NAME, old=OLD, new=NEW),)
    assert run(toy).rotated == (NAME,)
    assert NEW in store.taken
    assert toy.home.kept[NAME] == NEW
    assert list(toy.home.journal) == []


def test_the_secrets_that_were_just_finished_are_not_changed_twice() -> None:
    toy, _ = platform()
    toy.home.journal = (Change(name=NAME, old=OLD, new="from-the-journal"),)
    assert run(toy, NAME).rotated == (NAME,)
    assert toy.home.kept[NAME] == "from-the-journal"


def test_the_journal_is_there_before_the_first_change_and_until_the_last_proof() -> None:
    toy, store = platform()
    store.deaf = True
    seen: list[tuple[Change, ...]] = []
    toy.home.remember_rotation = lambda changes: seen.append(tuple(changes))  # type: ignore[method-assign]
    with pytest.raises(RotationRefused):
        run(toy, NAME)
    assert seen[-2:] == [(Change(name=NAME, old=OLD, new=NEW),), ()]


def refused(toy: Toy, *words: str) -> ArcError:
    with pytest.raises(ArcError) as found:
        run(toy, *words)
    return found.value


def test_a_server_that_takes_no_new_one_is_refused_and_nothing_is_changed() -> None:
    toy, store = platform()
    store.deaf = True
    error = refused(toy, NAME)
    assert isinstance(error, RotationRefused)
    assert error.message == "STORE_PASSWORD was not changed: no more passwords"
    assert (toy.home.kept[NAME], toy.home.journal, toy.engine.calls) == (OLD, (), [])


def test_a_server_that_takes_neither_keeps_the_journal_for_the_next_try() -> None:
    toy, store = platform()
    toy.home.journal = (Change(name=NAME, old=OLD, new=NEW),)
    store.taken = {"a-third-one"}
    error = refused(toy)
    assert isinstance(error, UnhealthyError)
    assert error.hint == "arcctl bootstrap store, then arcctl secrets rotate STORE_PASSWORD"
    assert toy.home.journal == (Change(name=NAME, old=OLD, new=NEW),)


def test_a_server_that_does_not_know_the_one_of_now_is_refused_by_name_and_left_out_of_all() -> None:
    toy, store = platform()
    store.taken = {"a-third-one"}
    assert refused(toy, NAME).message.startswith("STORE_PASSWORD is not rotated: the server does not take the one of")
    assert run(toy, "all").rotated == ()
    assert toy.told[-1].startswith("warning STORE_PASSWORD is not rotated")


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
    assert (error.message, error.hint) == ("STORE_PASSWORD is not rotated: store does not run", "arcctl up store")


def test_a_layer_is_changed_as_far_as_it_can_be() -> None:
    toy, _ = platform()
    prepared = rotate.prepare(("all",), toy.world())
    assert list(prepared.steps) == [NAME]
    assert {r.name for r in prepared.left_out} == {"STORE_TICKET", "BIG_SHOP_TOKEN"}
