"""Asks containers whether they reach each other, which nothing outside of their networks can see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from arcctl.checks import network_report
from arcctl.engines.base import Observed
from arcctl.errors import ArcError
from arcctl.model.probe import Answer
from arcctl.project import Project


async def look_from_within(project: Project, observed: Observed, seconds: float) -> Mapping[str, Answer]:
    """Whether containers reach each other on their networks; nothing on an engine that has none."""
    ports = dict(_inner_ports(project))
    found: list[network_report.Seen] = []
    tried: set[str] = set()
    for _ in range(network_report.ROUNDS):
        views = network_report.views(project.catalogue, observed, ports, tried)
        looks = (asyncio.to_thread(_take, view, project, seconds / network_report.ROUNDS) for view in views)
        taken = await asyncio.gather(*looks)
        found += [one for one in taken if one]
        if all(one and one.conclusive for one in taken):
            break
        tried |= {view.place for view in views}
    return network_report.answers(found)


def _inner_ports(project: Project) -> Iterator[tuple[str, int]]:
    """The port of each component that has one: the one that is probed, else the first."""
    for service_id, env in project.settings.envs.items():
        for key, component in project.catalogue.components((service_id,)).items():
            declared = (port.container for port in component.network.ports(env))
            if port := component.checks.probe(env).port or next(declared, 0):
                yield key, port


def _take(view: network_report.View, project: Project, seconds: float) -> network_report.Seen | None:
    """None where the container cannot look."""
    try:
        done = project.engine.execute(view.place, view.command, seconds=seconds)
    except ArcError:
        return None
    return None if done.code else network_report.seen(view, done.stdout.decode(errors="replace"))
