"""`restart`: services and components that exist, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from arcctl.errors import UnknownService
from arcctl.lifecycle import restart, up
from arcctl.lifecycle.report import RestartReport
from tests.fakes.toy import Toy


@pytest.fixture
def toy() -> Toy:
    """A shop and its store, running."""
    toy = Toy()
    asyncio.run(up.up(up.Request(words=("big-shop",), timeout=5.0), toy.project()))
    toy.engine.calls.clear()
    return toy


def _restart(toy: Toy, *words: str) -> RestartReport:
    return asyncio.run(restart.restart(words, toy.project()))


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ((), ("big-shop", "store")),
        (("platform",), ("big-shop",)),
        (("shop-exporter",), ("shop-exporter",)),
        (("shop-db", "store"), ("shop-db", "store")),
    ],
    ids=["everything", "a layer", "a sidecar", "an init container and a service"],
)
def test_it_restarts_what_exists_and_waits_until_that_is_ready(
    toy: Toy, words: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    report = _restart(toy, *words)
    assert toy.engine.calls[0] == f"restart {' '.join(keys)}"
    assert report.restarted == keys
    assert report.up is not None
    assert report.up.passed


def test_what_does_not_exist_is_left_alone(toy: Toy) -> None:
    assert (_restart(toy, "front"), toy.engine.calls) == (RestartReport(()), [])


def test_an_unknown_name_restarts_nothing(toy: Toy) -> None:
    with pytest.raises(UnknownService, match="unknown service 'stor'"):
        _restart(toy, "store", "stor")
    assert toy.engine.calls == []
