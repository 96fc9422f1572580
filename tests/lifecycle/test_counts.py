"""What commands cost: settings are resolved once per change of theirs, the engine is observed once per decision."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.lifecycle import clean, down, restart, up
from tests.fakes.counting import Counts, counting
from tests.fakes.toy import FakeDirectory, Toy

SECRETS = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}
WAVES = 4
"""The store, the set-up of the shop's database, the shop, its exporter: the executor looks once after each."""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    return counting(monkeypatch)


def _up(toy: Toy, *words: str, dry_run: bool = False) -> None:
    asyncio.run(up.up(up.Request(words=words, timeout=5.0, dry_run=dry_run), toy.project()))


@pytest.mark.parametrize("kept", [{}, SECRETS], ids=["secrets are generated", "secrets exist"])
def test_a_first_up_resolves_once_and_observes_for_its_plan_and_each_wave(counts: Counts, kept: dict[str, str]) -> None:
    _up(Toy(directory=FakeDirectory(kept=dict(kept))), "big-shop")
    assert counts.resolved == 1
    assert 1 < counts.observed <= 1 + 2 * WAVES  # after each start, and where the engine says that something changed


def test_an_up_of_what_runs_resolves_and_observes_once(counts: Counts) -> None:
    toy = Toy()
    _up(toy, "store")
    counts.reset()
    _up(toy, "store")
    assert (counts.resolved, counts.observed) == (1, 1)


def test_a_dry_run_observes_once(counts: Counts) -> None:
    _up(Toy(directory=FakeDirectory(kept=dict(SECRETS))), "big-shop", dry_run=True)
    assert (counts.resolved, counts.observed) == (1, 1)


def test_stopping_and_cleaning_need_no_settings_and_look_before_and_after(counts: Counts) -> None:
    toy = Toy()
    _up(toy, "store")
    counts.reset()
    down.down(("store",), toy.project())
    assert (counts.resolved, counts.observed) == (0, 2)
    clean.destroyable(toy.project())
    clean.clean(toy.project())  # which looks again after a person has agreed
    assert (counts.resolved, counts.observed) == (0, 5)


def test_a_restart_observes_for_what_exists_then_as_an_up_of_it(counts: Counts) -> None:
    toy = Toy()
    _up(toy, "store")
    counts.reset()
    asyncio.run(restart.restart(("store",), toy.project()))
    assert (counts.resolved, counts.observed) == (1, 2)
