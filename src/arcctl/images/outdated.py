"""`images outdated`: asks registries for newer tags of the same flavour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from arcctl.images.list import pulled_images
from arcctl.images.report import NewerTags
from arcctl.images.versions import newer, parse
from arcctl.lifecycle.image_lock import image_store
from arcctl.model.image import split
from arcctl.project import Project
from arcctl.settings.image_tags import tag_settings

TIMEOUT = 20.0
"""Seconds for all registries together."""


class Registries(Protocol):
    async def tags(self, repositories: Iterable[str], timeout: float) -> Mapping[str, tuple[str, ...] | str]:
        """The tags of each repository, or the reason why they are unknown. `timeout` in seconds, for all together."""


async def outdated(words: tuple[str, ...], project: Project, registries: Registries) -> tuple[NewerTags, ...]:
    """Never raises for a registry that does not answer."""
    image_store(project)
    references = pulled_images(words, project)
    found = await registries.tags({split(r)[0] for r in references}, TIMEOUT)
    components = {setting.current: setting.key for setting in tag_settings(project.catalogue).values()}
    return tuple(_newer(r, components.get(r, ""), found[split(r)[0]]) for r in references)


def _newer(reference: str, component: str, found: tuple[str, ...] | str) -> NewerTags:
    tag = split(reference)[1]
    if isinstance(found, str):
        return NewerTags(reference=reference, component=component, unknown=found)
    if parse(tag) is None:
        return NewerTags(reference=reference, component=component, unknown=f"the tag {tag!r} is not a version")
    return NewerTags(reference=reference, component=component, tags=newer(tag, found))
