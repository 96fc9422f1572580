"""Decides what an upgrade does: which containers move from which image to which, and which must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arcctl.engines.base import ContainerState, Observed
from arcctl.images.versions import is_older
from arcctl.model.data_version import refuse_other_data
from arcctl.model.image import split
from arcctl.model.service import Catalogue, Component
from arcctl.settings.image_registry import declared_name
from arcctl.settings.image_tags import TagSetting, pinned, tag_settings


class MoveKind(StrEnum):
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    REPLACE = "replace"
    """Another image under the same name."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One container, from the image that it was created from to the one that it will be created from."""

    key: str
    service: str
    kind: MoveKind
    before: str
    before_id: str
    after: str
    cause: str

    def __str__(self) -> str:
        images = f"{self.before} -> {self.after}" if self.before != self.after else self.after
        return f"{self.kind} {self.key}: {images} ({self.cause})"


def make(
    catalogue: Catalogue,
    services: tuple[str, ...],
    observed: Observed,
    images: Mapping[str, str],
    asked: Mapping[str, str],
) -> tuple[Move, ...]:
    """Compare the containers of these services with the catalogue, which has the tags of the `asked` settings.

    Containers of other services that share an image move too. Raises UpgradeError where the new image cannot read
    the data that exists.
    """
    settings = tag_settings(catalogue)
    moves = []
    shared = {c.container.image for c in catalogue.components(services).values()}
    for service_id in catalogue.services:
        for key, component in catalogue.components((service_id,)).items():
            if service_id not in services and component.container.image not in shared:
                continue
            move = _move(key, service_id, component, observed.of(key), images, settings, asked)
            if move:
                refuse_other_data(key, component, move.before)
                moves.append(move)
    return tuple(moves)


def _move(
    key: str,
    service: str,
    component: Component[Any],
    now: ContainerState,
    images: Mapping[str, str],
    settings: Mapping[str, TagSetting],
    asked: Mapping[str, str],
) -> Move | None:
    """None for a container that does not exist or has the right image."""
    after = component.container.image
    same_name = declared_name(now.image, component) == declared_name(after, component)
    if not now.image or (same_name and now.image_id == images.get(after, now.image_id)):
        return None
    setting = settings.get(pinned(component))
    name = setting.name if setting else ""
    if same_name:
        kind, cause = MoveKind.REPLACE, f"{now.version} runs now" if now.version else "this name has a new image"
    else:
        changed = declared_name(after, component) != pinned(component)
        kind = MoveKind.DOWNGRADE if is_older(split(after)[1], split(now.image)[1]) else MoveKind.UPGRADE
        cause = "asked for" if name in asked else f"set by {name}" if changed else "pinned by arcctl"
    return Move(key=key, service=service, kind=kind, before=now.image, before_id=now.image_id, after=after, cause=cause)
