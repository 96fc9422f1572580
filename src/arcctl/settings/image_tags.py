"""Which image a container is made from: the reference that its declaration pins, or another tag that the project chose.

Each image that is pulled has a setting for its tag (`REDIS_IMAGE_TAG`), which belongs to the service that runs it;
containers of other services that are made from the same image follow it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from arcctl.model.env import Variable
from arcctl.model.image import split
from arcctl.model.service import Catalogue, Component, Service

FIELD = "image_tag"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def is_tag(text: str) -> bool:
    return bool(_TAG.fullmatch(text))


def prefix(service: Service[Any]) -> str:
    """How the names of its settings begin."""
    return str(service.env.env_prefix)


def pinned(component: Component[Any]) -> str:
    """The reference in the declaration, whatever tag the project chose."""
    return component.container.pinned or component.container.image


@dataclass(frozen=True, kw_only=True)
class TagSetting:
    """The setting that chooses the tag of one image."""

    service: str
    """The service that it belongs to."""
    key: str
    """The container that it is named after."""
    name: str
    reference: str
    """The image as the declarations pin it."""
    current: str
    """The image that this project uses, in its registry mirror where it has one."""

    @property
    def variable(self) -> Variable:
        repository, tag = split(self.reference)
        return Variable(
            name=self.name,
            field=FIELD,
            default=tag,
            description=f"Tag of the image {repository}.",
            secret=False,
            generate=None,
            shared=False,
        )


def tag_settings(catalogue: Catalogue) -> dict[str, TagSetting]:
    """One setting for each pinned image that is pulled, by the image's reference: services first, then helpers."""
    found: dict[str, TagSetting] = {}
    for service in catalogue.services.values():
        found |= _setting(service, service, found)
    for service in catalogue.services.values():
        for component in (*service.components, *service.left_out):
            found |= _setting(service, component, found)
    return found


def _setting(
    service: Service[Any], component: Component[Any], known: Mapping[str, TagSetting]
) -> dict[str, TagSetting]:
    reference = pinned(component)
    if component.container.build or reference in known or not split(reference)[1]:
        return {}
    key = component.id
    own = key.removeprefix(service.id).lstrip("-")
    infix = own.upper().replace("-", "_") + "_" if own else ""
    name = f"{prefix(service)}{infix}{FIELD.upper()}"
    setting = TagSetting(service=service.id, key=key, name=name, reference=reference, current=component.container.image)
    return {reference: setting}


def chosen(catalogue: Catalogue, values: Mapping[str, str]) -> Catalogue:
    """The catalogue with the tags that `values` say, by the names of their settings."""
    wanted = {r: (values.get(s.name), split(s.current)[1]) for r, s in tag_settings(catalogue).items()}
    tags = {reference: tag for reference, (tag, current) in wanted.items() if tag is not None and tag != current}
    if not tags:
        return catalogue
    return catalogue.each(partial(_with, tags=tags))


def _with(component: Component[Any], tags: Mapping[str, str]) -> Component[Any]:
    reference = pinned(component)
    if reference not in tags or component.container.build:
        return component
    image = f"{split(component.container.image)[0]}:{tags[reference]}"
    return replace(component, container=replace(component.container, image=image, pinned=reference))


def variable_reference(reference: str, settings: Mapping[str, TagSetting]) -> str:
    """The reference as Compose reads it: `redis:${REDIS_IMAGE_TAG:-8.10.1-alpine}`."""
    if reference not in settings:
        return reference
    repository, tag = split(reference)
    return f"{repository}:${{{settings[reference].name}:-{tag}}}"
