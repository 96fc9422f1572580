"""Order and closure over what services need. Stable: the order of the catalogue decides between equals."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from arcctl.core.model import Catalogue, Layer, Service
from arcctl.errors import UnknownService, UsageError


def dependencies(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """For each container, the containers that must be ready before it starts.

    A helper waits for what its service needs and for the one-shots before it; one that stands aside, for its service.
    """
    found: dict[str, frozenset[str]] = {}
    for service in catalogue.services.values():
        found |= _of_service(service)
    return found


def _of_service(service: Service[Any]) -> dict[str, frozenset[str]]:
    needs = {need.id for need in service.needs}
    found, done = {}, set[str]()
    for helper in service.helpers:
        found[helper.id] = frozenset({service.id} if helper.aside else needs | done)
        done |= {helper.id} if helper.one_shot and not helper.aside else set()
    first = {helper.id for helper in service.helpers if not helper.aside}
    return found | {service.id: frozenset(needs | first)}


def closure(asked: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The services asked for and all that they need, in start order."""
    wanted: set[str] = set()
    queue = list(asked)
    while queue:
        service = catalogue.services[queue.pop()]
        if service.id not in wanted:
            wanted.add(service.id)
            queue += [need.id for need in service.needs]
    return tuple(i for i in start_order(catalogue) if i in wanted)


def start_order(catalogue: Catalogue) -> tuple[str, ...]:
    """All services, each after what it needs.

    Raises UsageError that shows the circle where needs form one.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for service_id, service in catalogue.services.items():
        sorter.add(service_id, *(need.id for need in service.needs))
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        raise UsageError(f"services need each other in a circle: {' -> '.join(error.args[1])}") from None


def heights(catalogue: Catalogue) -> dict[str, int]:
    """How many services stand below each one, the longest way down. It stays when one joins on top."""
    found: dict[str, int] = {}
    for service_id in start_order(catalogue):
        needs = catalogue.services[service_id].needs
        found[service_id] = 1 + max((found[need.id] for need in needs), default=0)
    return found


def root_causes(name: str, broken: Mapping[str, bool], catalogue: Catalogue) -> tuple[str, ...]:
    """The deepest broken services that `name` stands on, nearest first; empty where it stands on whole ground."""
    found: list[str] = []
    for need in catalogue.services[name].needs:
        deeper = root_causes(need.id, broken, catalogue)
        found += deeper or ((need.id,) if broken.get(need.id) else ())
    return tuple(dict.fromkeys(found))


def reserved(catalogue: Catalogue) -> frozenset[str]:
    """Words that mean something already, so that no new service may be called so."""
    return frozenset({*catalogue.containers(), *Layer, "all"})


def resolve(words: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Service ids for the words of a command line: names, layers or `all`.

    Raises UnknownService with the nearest name.
    """
    chosen: list[str] = []
    for word in words:
        chosen += _expand(word, catalogue)
    return tuple(dict.fromkeys(chosen))


def one(word: str, catalogue: Catalogue) -> Service[Any]:
    """The service of that name.

    Raises UnknownService with the nearest name, and UsageError for words that stand for several.
    """
    _expand(word, catalogue)
    if word not in catalogue.services:
        raise UsageError(f"{word} is not one service", hint=f"services: {', '.join(catalogue.services)}")
    return catalogue.services[word]


def _expand(word: str, catalogue: Catalogue) -> tuple[str, ...]:
    if word == "all":
        return tuple(catalogue.services)
    if word in list(Layer):
        return catalogue.layer(Layer(word))
    if word in catalogue.services:
        return (word,)
    choices = [*catalogue.services, *Layer, "all"]
    near = difflib.get_close_matches(word, choices, n=1)
    hint = f"did you mean {near[0]}?" if near else f"services: {', '.join(catalogue.services)}"
    raise UnknownService(f"unknown service {word!r}", hint=hint)
