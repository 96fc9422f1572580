"""`ps`: services and their components as the engine sees them; nothing is probed."""

from __future__ import annotations

from arcctl.lifecycle.report import ListedContainer, PsReport
from arcctl.model.graph import containers
from arcctl.project import Project


def ps(words: tuple[str, ...], project: Project) -> PsReport:
    """Each service with its components, also those that do not exist."""
    keys = containers(words or ("all",), project.catalogue, components=True)
    observed = project.engine.observe()
    states = {key: observed.of(key) for key in keys}
    return PsReport(
        tuple(
            ListedContainer(name=key, state=now.state, health=now.health, image=now.image, ports=now.ports)
            for key, now in states.items()
        )
    )
