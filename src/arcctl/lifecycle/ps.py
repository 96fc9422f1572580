"""`ps`: services and their components as the engine sees them; nothing is probed."""

from __future__ import annotations

from arcctl.engines.base import ABSENT
from arcctl.lifecycle.report import ListedContainer, PsReport
from arcctl.model.graph import containers
from arcctl.project import Project


def ps(words: tuple[str, ...], project: Project) -> PsReport:
    """Each service with its components, also those that do not exist."""
    keys = containers(words or ("all",), project.catalogue, components=True)
    observed = project.engine.observe()
    states = {key: observed.of(key) for key in keys}
    unnamed = (service for service in project.engine.unavailable if service not in words)
    parts = {service: tuple(project.catalogue.components((service,))) for service in unnamed}
    return PsReport(
        left_out={i: own for i, own in parts.items() if i in keys and all(observed.of(k).state == ABSENT for k in own)},
        containers=tuple(
            ListedContainer(name=key, state=now.state, health=now.health, image=now.image, ports=now.ports)
            for key, now in states.items()
        ),
    )
