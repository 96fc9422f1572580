"""Data that only one version of a server reads."""

from __future__ import annotations

import re
from typing import Any

from arcctl.errors import UpgradeError
from arcctl.model.image import split
from arcctl.model.service import Component

SERVERS_NOTE = "servers"
"""The file of the state folder with the local server that last ran on the data of each component."""


def refuse_other_data(key: str, component: Component[Any], before: str) -> None:
    """Raises UpgradeError where the image cannot read the data that the image `before` wrote."""
    then, now = data_version(component, before), data_version(component, component.container.image)
    if then and now and then != now:
        tag = split(component.container.image)[1]
        raise UpgradeError(
            f"{key}: its data has version {then}, which {component.container.image} cannot read",
            hint=f"arcctl backup create, arcctl clean, arcctl config set {key} IMAGE_TAG {tag}, arcctl up --stack, "
            "arcctl backup restore NAME",
        )


def data_version(component: Component[Any], image: str) -> str:
    """The version of the data that an image writes; empty where the declaration names none."""
    found = _version_in(component, split(image)[1])
    return found[1] if found else ""


def tag_for(component: Component[Any], version: str) -> str:
    """The tag of its image that reads data of this version; empty where the declaration names none."""
    tag = split(component.container.image)[1]
    found = _version_in(component, tag)
    return f"{tag[: found.start(1)]}{version}{tag[found.end(1) :]}" if found else ""


def _version_in(component: Component[Any], tag: str) -> re.Match[str] | None:
    return re.search(component.storage.data_version, tag) if component.storage.data_version else None
