"""Laws of order and blame over any platform that could be declared, not only over those we thought of."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from arcctl.engines.base import ContainerState, Observed
from arcctl.lifecycle import plan
from arcctl.lifecycle.plan import Action
from arcctl.model import graph
from arcctl.model.service import Catalogue, Service
from tests.fakes.catalogue import TOY, catalogue, plain

STATES = ("running", "exited", "paused", "created", "restarting", "dead", "absent")


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """Up to eight services, each of which needs some of those before it; listed in any order."""
    found: list[Service[Any]] = []
    for number in range(draw(st.integers(1, 8))):
        needs = draw(st.lists(st.sampled_from(found), unique_by=lambda s: s.id)) if found else []
        found.append(plain(f"s{number}", *needs))
    return catalogue(*draw(st.permutations(found)))


def _reachable(name: str, known: Catalogue) -> set[str]:
    needs = known.services[name].needs
    return {n.id for n in needs}.union(*(_reachable(n.id, known) for n in needs))


@given(catalogues(), st.data())
def test_a_closure_is_what_can_be_reached_and_each_comes_after_its_needs(known: Catalogue, data: st.DataObject) -> None:
    asked = data.draw(st.lists(st.sampled_from(sorted(known.services)), min_size=1))
    found = graph.closure(asked, known)
    assert set(found) == set(asked).union(*(_reachable(name, known) for name in asked))
    assert len(found) == len(set(found))
    assert all(found.index(need.id) < found.index(name) for name in found for need in known.services[name].needs)


@given(catalogues(), st.data())
def test_blame_never_falls_on_oneself_nor_on_what_stands_on_something_broken(
    known: Catalogue, data: st.DataObject
) -> None:
    names = sorted(known.services)
    broken = {name: data.draw(st.booleans()) for name in names}
    for name in names:
        causes = graph.root_causes(name, broken, known)
        assert set(causes) <= {n for n in _reachable(name, known) if broken[n]}
        assert all(graph.root_causes(cause, broken, known) == () for cause in causes)
        assert bool(causes) == any(broken[n] for n in _reachable(name, known))


@given(st.fixed_dictionaries({key: st.sampled_from(STATES) for key in TOY.components()}))
def test_every_plan_names_each_container_once_and_has_a_cause_for_each_step(states: dict[str, str]) -> None:
    observed = Observed(
        {k: ContainerState(state=s, image=TOY.components()[k].container.image) for k, s in states.items()}
    )
    made = plan.make(graph.closure(("front",), TOY), TOY, observed, {}, {})
    assert sorted(step.key for step in made.steps) == sorted(TOY.components())
    assert all(step.cause for step in made.steps)
    assert {s.key for s in made.changes} >= {k for k, s in states.items() if s not in ("running", "exited")}
    assert all(s.action is Action.CREATE for s in made.steps if states[s.key] == "absent")
