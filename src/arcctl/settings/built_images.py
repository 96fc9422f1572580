"""Images that are built from the files of a project: each project has its own, with its name before the component's.

The declarations say it with the variable that Compose reads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arcctl.model.env import NAME
from arcctl.model.service import Catalogue, Component
from arcctl.settings.image_tags import pinned


def of_project(catalogue: Catalogue, project: str) -> Catalogue:
    """The catalogue with the names that these images have in a project."""

    def named(component: Component[Any]) -> Component[Any]:
        container, reference = component.container, pinned(component)
        if not container.build:
            return component
        image = reference.replace(NAME, project)
        return replace(component, container=replace(container, image=image, pinned=reference))

    return catalogue.each(named)


def as_they_are(catalogue: Catalogue) -> Catalogue:
    """The catalogue for a second platform of the same project, which uses its images."""

    def kept(component: Component[Any]) -> Component[Any]:
        container = component.container
        return replace(component, container=replace(container, pinned="")) if container.build else component

    return catalogue.each(kept)


def own(reference: str, catalogue: Catalogue) -> str:
    """What this project calls an image that another one built; empty where it is none of these."""
    built = (c for c in catalogue.components().values() if c.container.build)
    return next((c.container.image for c in built if reference.endswith(pinned(c).removeprefix(NAME))), "")
