"""Dependencies between services: order and closure. Stable: the order of the catalogue decides between equals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from arcctl.errors import UnknownService, UsageError, did_you_mean
from arcctl.model.service import Catalogue, Layer, Role, Service


def dependencies(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """For each component, the components that must be ready before it starts.

    A component waits for what its service needs and for the init containers before it, or, with `after_server`, only
    for the server.
    """
    found: dict[str, frozenset[str]] = {}
    for service in catalogue.services.values():
        found |= _of_service(service)
    return found


def _of_service(service: Service[Any]) -> dict[str, frozenset[str]]:
    needs = {need.id for need in service.needs}
    found, done = {}, set[str]()
    for component in service.components:
        found[component.id] = frozenset({service.id} if component.after_server else needs | done)
        done |= {component.id} if component.role is Role.INIT and not component.after_server else set()
    first = {component.id for component in service.components if not component.after_server}
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

    Raises UsageError with the circle where dependencies form one.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for service_id, service in catalogue.services.items():
        sorter.add(service_id, *(need.id for need in service.needs))
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        raise UsageError(f"services depend on each other in a circle: {' -> '.join(error.args[1])}") from None


def heights(catalogue: Catalogue) -> dict[str, int]:
    """The length of each service's longest chain of dependencies."""
    found: dict[str, int] = {}
    for service_id in start_order(catalogue):
        needs = catalogue.services[service_id].needs
        found[service_id] = 1 + max((found[need.id] for need in needs), default=0)
    return found


def root_causes(name: str, broken: Mapping[str, bool], catalogue: Catalogue) -> tuple[str, ...]:
    """The deepest broken services that `name` depends on, nearest first; empty where none is broken."""
    found: list[str] = []
    for need in catalogue.services[name].needs:
        deeper = root_causes(need.id, broken, catalogue)
        found += deeper or ((need.id,) if broken.get(need.id) else ())
    return tuple(dict.fromkeys(found))


def reserved(catalogue: Catalogue) -> frozenset[str]:
    """Words that are taken: no new service can have one as its name."""
    return frozenset({*catalogue.components(), *Layer, "all"})


def resolve(words: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Service ids for the words of a command line: names, layers or `all`.

    Raises UnknownService with the nearest name.
    """
    chosen: list[str] = []
    for word in words:
        chosen += _expand(word, catalogue)
    return tuple(dict.fromkeys(chosen))


def containers(words: Iterable[str], catalogue: Catalogue, *, components: bool = False) -> tuple[str, ...]:
    """Container keys for the words of a command line: services, layers, `all`, and components by their own name.

    A service stands for its server, or with `components` for all its containers.
    Raises UnknownService with the nearest name.
    """
    known, chosen = catalogue.components(), list[str]()
    for word in words:
        if word in known and word not in catalogue.services:
            chosen.append(word)
        else:
            services = _expand(word, catalogue, components=True)
            chosen += catalogue.components(services) if components else services
    return tuple(dict.fromkeys(chosen))


def one(word: str, catalogue: Catalogue) -> Service[Any]:
    """The service of that name.

    Raises UnknownService with the nearest name, and UsageError for words that mean several.
    """
    _expand(word, catalogue)
    if word not in catalogue.services:
        raise UsageError(f"{word} is not one service", hint=f"services: {', '.join(catalogue.services)}")
    return catalogue.services[word]


def _expand(word: str, catalogue: Catalogue, *, components: bool = False) -> tuple[str, ...]:
    if word == "all":
        return tuple(catalogue.services)
    if word in list(Layer):
        return catalogue.layer(Layer(word))
    if word in catalogue.services:
        return (word,)
    elsewhere = {c.id for service in catalogue.services.values() for c in service.left_out}
    if components and word in elsewhere:
        raise UsageError(f"{word} runs in containers only", hint="what runs here: arcctl ps")
    choices = [*(catalogue.components() if components else catalogue.services), *Layer, "all"]
    hint = did_you_mean(word, choices, f"services: {', '.join(catalogue.services)}")
    raise UnknownService(f"unknown service {word!r}", hint=hint)


def image_users(words: Iterable[str], catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Each image of these services and their components, with the containers that are made from it."""
    found: dict[str, tuple[str, ...]] = {}
    for key, component in catalogue.components(resolve(tuple(words) or ("all",), catalogue)).items():
        found[component.container.image] = (*found.get(component.container.image, ()), key)
    return dict(sorted(found.items()))


def built_images(catalogue: Catalogue) -> frozenset[str]:
    """Images that are built from the project and not pulled."""
    return frozenset(c.container.image for c in catalogue.components().values() if c.container.build)
