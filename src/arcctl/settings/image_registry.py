"""The registry mirror of a project: it takes the place of the registry of every image that is pulled.

Official images keep their full name there, `MIRROR/library/redis`; images of another registry lose its name.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

from arcctl.model.env import Variable
from arcctl.model.host_ports import HIGHEST
from arcctl.model.image import HUB, mirrored, place, upstream
from arcctl.model.names import IMAGES
from arcctl.model.service import Catalogue, Component
from arcctl.settings.image_tags import pinned

PREFIX = "ARCCTL_IMAGES_"
NAME = f"{PREFIX}REGISTRY"
VARIABLE = Variable(
    name=NAME,
    field="registry",
    default="",
    description="Registry mirror from which all images are pulled, such as mirror.example.com/dockerhub.",
    secret=False,
    generate=None,
    shared=False,
)
HINT = f"arcctl config set {IMAGES} registry mirror.example.com/dockerhub"
FORM = "HOST[:PORT][/PATH] in small letters, without a slash at the end, where HOST has a dot or a port"
SCHEME = "is written without a scheme such as https://"
_FORM = re.compile(
    r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*"
)


def problem(registry: str) -> str:
    """Why a value cannot be the mirror; empty where it can. It never has the value, in which a password may be."""
    scheme, found, _ = registry.partition("://")
    if found:
        return f"is written without {scheme}://" if scheme in ("http", "https") else SCHEME
    if "@sha256" in registry:
        return "is where images are, without the @sha256 of one"
    if "@" in registry:
        return "has no user and no password: `docker login` keeps those"
    if f".{registry.partition('/')[0]}".endswith(f".{HUB}"):
        return f"is {HUB}, where images come from without a mirror"
    if registry and not _is_host_and_path(registry):
        return f"is not {FORM}"
    port = registry.partition("/")[0].partition(":")[2]
    return "" if not port or 0 < int(port) <= HIGHEST else f"has a port that is none: at most {HIGHEST}"


def _is_host_and_path(registry: str) -> bool:
    """Docker takes a first word without a dot or a port for a name on Docker Hub."""
    return bool(_FORM.fullmatch(registry)) and place(f"{registry}/image")[0] != HUB


def from_mirror(catalogue: Catalogue, registry: str) -> Catalogue:
    """The catalogue with every image that is pulled in the mirror, if there is one."""
    return catalogue.each(partial(_moved, registry=registry)) if registry else catalogue


def _moved(component: Component[Any], registry: str) -> Component[Any]:
    """Images that are built stay what they are."""
    container = component.container
    if container.build:
        return component
    image = mirrored(container.image, registry)
    return replace(component, container=replace(container, image=image, pinned=pinned(component)))


def declared_name(reference: str, component: Component[Any]) -> str:
    """The reference without a mirror, for an image of this component."""
    return upstream(reference, pinned(component))


def upstreams(catalogue: Catalogue) -> dict[str, str]:
    """Each image of the catalogue, and what it is called without a mirror."""
    return {c.container.image: declared_name(c.container.image, c) for c in catalogue.components().values()}


def variable_reference(reference: str) -> str:
    """The reference as Compose reads it, in the mirror where the variable has one."""
    registry, path = place(reference)
    if reference.startswith(f"{registry}/"):
        return f"${{{NAME}:-{registry}}}/{path}"
    return f"${{{NAME}:+${{{NAME}-}}/{path.removesuffix(reference)}}}{reference}"
