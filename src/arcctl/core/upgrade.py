"""Decides what an upgrade does: which containers move from which image to which, and which must not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arcctl.core.images import TagSetting, pinned, split, tag_settings
from arcctl.core.model import Catalogue, Container
from arcctl.core.observed import ContainerState, Observed
from arcctl.core.versions import is_older
from arcctl.errors import UpgradeError


class Kind(StrEnum):
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    REPLACE = "replace"
    """Another image under the same name."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One container, from what it is made from now to what it would be made from."""

    key: str
    service: str
    """The service that it belongs to."""
    kind: Kind
    before: str
    before_id: str
    after: str
    cause: str

    def __str__(self) -> str:
        way = f"{self.before} -> {self.after}" if self.before != self.after else self.after
        return f"{self.kind} {self.key}: {way} ({self.cause})"


def make(
    catalogue: Catalogue,
    services: tuple[str, ...],
    observed: Observed,
    images: Mapping[str, str],
    asked: Mapping[str, str],
) -> tuple[Move, ...]:
    """Compare what runs with what the catalogue says, tags that were `asked` for by their settings included.

    Containers of other services move along where they are made from the same image. Raises UpgradeError where the data
    that is there cannot be read by what would come.
    """
    settings = tag_settings(catalogue)
    found = []
    shared = {c.image for c in catalogue.containers(services).values()}
    for service_id in catalogue.services:
        for key, container in catalogue.containers((service_id,)).items():
            if service_id not in services and container.image not in shared:
                continue
            move = _move(key, service_id, container, observed.of(key), images, settings, asked)
            if move:
                refuse_other_data(key, container, move.before)
                found.append(move)
    return tuple(found)


def _move(
    key: str,
    service: str,
    container: Container[Any],
    now: ContainerState,
    images: Mapping[str, str],
    settings: Mapping[str, TagSetting],
    asked: Mapping[str, str],
) -> Move | None:
    """None for what does not exist, and for what is as it should be."""
    after = container.image
    same = now.image == after
    if not now.image or (same and now.image_id == images.get(after, now.image_id)):
        return None
    setting = settings.get(pinned(container))
    name = setting.name if setting else ""
    if same:
        kind, cause = Kind.REPLACE, f"{now.version} runs" if now.version else "another image has this name now"
    else:
        kind = Kind.DOWNGRADE if is_older(split(after)[1], split(now.image)[1]) else Kind.UPGRADE
        cause = "asked for" if name in asked else f"{name} says so" if after != pinned(container) else "arcctl pins it"
    return Move(key=key, service=service, kind=kind, before=now.image, before_id=now.image_id, after=after, cause=cause)


def refuse_other_data(key: str, container: Container[Any], before: str) -> None:
    """Raises UpgradeError where what is about to run cannot read what an earlier image wrote."""
    then, now = data_version(container, before), data_version(container, container.image)
    if then and now and then != now:
        tag = split(container.image)[1]
        raise UpgradeError(
            f"{key}: its data is of version {then}, which {container.image} cannot read",
            hint=f"arcctl backup create, arcctl clean, arcctl config set {key} IMAGE_TAG {tag}, arcctl up --stack, "
            "arcctl backup restore NAME",
        )


def data_version(container: Container[Any], image: str) -> str:
    """The version of the data that an image writes; empty where the declaration does not tell."""
    found = re.search(container.data_version, split(image)[1]) if container.data_version else None
    return found[1] if found else ""
