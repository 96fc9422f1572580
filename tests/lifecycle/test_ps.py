"""`ps` on a toy platform: what is listed, and what people need not see."""

from __future__ import annotations

import json

import pytest

from arcctl.engines.base import ContainerState, Unavailable
from arcctl.lifecycle import ps, view
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeEngine, Toy

AWAY = Unavailable("it was not built", "build it")


def _toy(*unavailable: str) -> Toy:
    return Toy(engine=FakeEngine(TOY, unavailable=dict.fromkeys(unavailable, AWAY)))


def _listed(text: str) -> list[str]:
    return [line.split(maxsplit=1)[0] for line in text.partition("\n\n")[0].splitlines()[1:]]


@pytest.mark.usefixtures("plain_streams")
def test_services_that_cannot_run_here_share_one_line_unless_all_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = ps.ps((), _toy("big-shop").project())
    view.ps(report)
    text = capsys.readouterr().out
    assert _listed(text) == ["front", "store"]
    assert text.endswith("\n\nnot available here: big-shop (what each needs: arcctl engine list)\n")
    view.ps(report, all_=True)
    assert "big-shop" in _listed(capsys.readouterr().out)


def test_a_service_that_is_named_or_that_runs_is_listed_all_the_same() -> None:
    toy = _toy("big-shop", "store")
    toy.engine.states["store"] = ContainerState(state="running")
    assert list(ps.ps((), toy.project()).left_out) == ["big-shop"]
    assert ps.ps(("big-shop",), toy.project()).left_out == {}


@pytest.mark.usefixtures("plain_streams")
def test_json_lists_every_container(capsys: pytest.CaptureFixture[str]) -> None:
    view.ps_json(ps.ps((), _toy("big-shop").project()))
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["schema", "containers"]
    assert {"big-shop", "front", "store"} < {container["name"] for container in document["containers"]}
