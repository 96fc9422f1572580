"""Decides what `up` does: steps as data, each with its cause. The executor decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arcctl.core.graph import dependencies
from arcctl.core.model import Catalogue, Container, Helper
from arcctl.core.observed import ABSENT, ContainerState, Observed


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
    """What was asked for and all that it needs, in start order."""
    steps: tuple[Step, ...]
    """One per container, helpers included."""
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

    `hashes` are the configuration hashes of the files as they are now, by container; `images` the ids of the images
    that the engine has, by reference. What they do not list decides nothing. `changed` are the containers whose
    mounted files are not those that they were made from.
    """
    containers = catalogue.containers(services)
    # What cannot run on this engine is not waited for.
    needs = {key: need & set(containers) for key, need in dependencies(catalogue).items()}
    steps: dict[str, Step] = {}
    for key in _ordered(containers, needs):
        steps[key] = _step(key, containers[key], observed.of(key), hashes.get(key, ""), images)
        if steps[key].action not in (Action.CREATE, Action.RECREATE) and key in changed:
            steps[key] = Step(key, Action.RECREATE, "a mounted file or a secret changed")
        moved = [n for n in sorted(needs[key]) if steps[n].action is not Action.KEEP]
        if _is_one_shot(containers[key]) and steps[key].action is Action.KEEP and moved:
            steps[key] = Step(key, Action.START, f"{moved[0]} starts anew")
    missing = frozenset(c.image for c in containers.values()) - set(images)
    return Plan(services, tuple(steps.values()), {key: needs[key] for key in containers}, missing)


def _ordered(containers: Mapping[str, Container[Any]], needs: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    from graphlib import TopologicalSorter

    sorter: TopologicalSorter[str] = TopologicalSorter({key: sorted(needs[key]) for key in containers})
    return tuple(sorter.static_order())


def _is_one_shot(container: Container[Any]) -> bool:
    return isinstance(container, Helper) and container.one_shot


def _step(key: str, container: Container[Any], now: ContainerState, wanted: str, images: Mapping[str, str]) -> Step:
    if now.state == ABSENT:
        return Step(key, Action.CREATE, "does not exist")
    if now.image and now.image != container.image:
        return Step(key, Action.RECREATE, f"image changes from {now.image} to {container.image}")
    if now.image_id != images.get(container.image, now.image_id):
        return Step(key, Action.RECREATE, f"image {container.image} is another one now")
    if wanted and now.config_hash != wanted:
        return Step(key, Action.RECREATE, "configuration changed")
    if now.state == "paused":
        return Step(key, Action.UNPAUSE, "is paused")
    if _is_one_shot(container):
        return _one_shot(key, now)
    return Step(key, Action.KEEP, "runs") if now.running else Step(key, Action.START, f"is {now.state}")


def _one_shot(key: str, now: ContainerState) -> Step:
    if now.state == "exited" and now.exit_code == 0:
        return Step(key, Action.KEEP, "is done")
    return Step(key, Action.START, f"ended with {now.exit_code}" if now.state == "exited" else f"is {now.state}")
