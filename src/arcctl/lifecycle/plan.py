"""Decides what `up` does: steps as data, each with its cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arcctl.engines.base import ABSENT, ContainerState, Observed
from arcctl.model.graph import dependencies
from arcctl.model.service import Catalogue, Component, Role


class Action(StrEnum):
    KEEP = "keep"
    CREATE = "create"
    RECREATE = "recreate"
    START = "start"
    UNPAUSE = "unpause"


@dataclass(frozen=True)
class Step:
    key: str
    action: Action
    cause: str

    def __str__(self) -> str:
        return f"{self.action} {self.key}: {self.cause}"


@dataclass(frozen=True)
class Plan:
    services: tuple[str, ...]
    """What was asked for and all that it depends on, in start order."""
    steps: tuple[Step, ...]
    """One per container, those of components included."""
    needs: Mapping[str, frozenset[str]]
    """For each container, the ones that must be ready first."""
    missing_images: frozenset[str]
    """References that must be pulled or built first."""

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(s for s in self.steps if s.action is not Action.KEEP)


def make(
    services: tuple[str, ...],
    catalogue: Catalogue,
    observed: Observed,
    hashes: Mapping[str, str],
    images: Mapping[str, str],
    changed: frozenset[str] = frozenset(),
) -> Plan:
    """Compare what should run with what runs.

    `hashes` are the current configuration hashes by container, `images` the ids of the engine's images by reference;
    what they do not list decides nothing. `changed` are the containers whose mounted files changed since they were
    created.
    """
    containers = catalogue.components(services)
    # What is not available on this engine is not waited for.
    needs = {key: need & set(containers) for key, need in dependencies(catalogue).items()}
    steps: dict[str, Step] = {}
    for key in _ordered(containers, needs):
        steps[key] = _step(key, containers[key], observed.of(key), hashes.get(key, ""), images)
        if steps[key].action not in (Action.CREATE, Action.RECREATE) and key in changed:
            steps[key] = Step(key, Action.RECREATE, "a mounted file or a secret changed")
        moved = [n for n in sorted(needs[key]) if steps[n].action is not Action.KEEP]
        if containers[key].role is Role.INIT and steps[key].action is Action.KEEP and moved:
            steps[key] = Step(key, Action.START, f"depends on {moved[0]}, which is started")
    missing = frozenset(c.container.image for c in containers.values()) - set(images)
    return Plan(services, tuple(steps.values()), {key: needs[key] for key in containers}, missing)


def _ordered(containers: Mapping[str, Component[Any]], needs: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    from graphlib import TopologicalSorter

    sorter: TopologicalSorter[str] = TopologicalSorter({key: sorted(needs[key]) for key in containers})
    return tuple(sorter.static_order())


def _step(key: str, component: Component[Any], now: ContainerState, wanted: str, images: Mapping[str, str]) -> Step:
    if now.state == ABSENT:
        return Step(key, Action.CREATE, "not there yet")
    if now.cut_off or now.changed:
        return Step(key, Action.RECREATE, "; ".join((*now.cut_off, *now.changed)))
    if now.image and now.image != component.container.image:
        return Step(key, Action.RECREATE, f"image changes from {now.image} to {component.container.image}")
    if now.image_id != images.get(component.container.image, now.image_id):
        return Step(key, Action.RECREATE, f"image {component.container.image} was rebuilt or pulled again")
    if wanted and now.config_hash != wanted:
        return Step(key, Action.RECREATE, "configuration changed")
    if now.state == "paused":
        return Step(key, Action.UNPAUSE, "paused")
    if component.role is not Role.INIT:
        return Step(key, Action.KEEP if now.running else Action.START, now.state)
    return _init(key, now)


def _init(key: str, now: ContainerState) -> Step:
    if now.state != "exited":
        return Step(key, Action.START, now.state)
    if now.exit_code:
        return Step(key, Action.START, f"exited with code {now.exit_code}")
    return Step(key, Action.KEEP, "finished")
