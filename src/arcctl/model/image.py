"""Images of an engine, and whether they are the locked ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

STUB = "(stub)"
"""Follows the version of a service whose image is a stub."""
HUB = "docker.io"
"""The registry of references that name none."""
_REFERENCE = re.compile(r"(?P<repository>[^@]+?):(?P<tag>[^/:@]+)")


def split(reference: str) -> tuple[str, str]:
    """Repository and tag; the tag is empty where the reference has none, or a digest in its place."""
    found = _REFERENCE.fullmatch(reference)
    return (found["repository"], found["tag"]) if found else (reference, "")


def registry_host(reference: str) -> str:
    """The registry of an image as `docker login` takes it; empty for Docker Hub."""
    host = place(split(reference)[0])[0]
    return "" if host == HUB else host


def registry_name(reference: str) -> str:
    """The registry of an image, for people."""
    return registry_host(reference) or "Docker Hub"


def place(reference: str) -> tuple[str, str]:
    """The registry of a reference or repository, and what it is called there, by the rules of Docker."""
    host, _, path = reference.partition("/")
    if path and ("." in host or ":" in host or host == "localhost"):
        return host, path
    return HUB, reference if path else f"library/{reference}"


def mirrored(reference: str, registry: str) -> str:
    """The same image in a mirror of its registry; `registry` is empty where there is none."""
    return f"{registry}/{place(reference)[1]}" if registry else reference


def upstream(reference: str, declared: str) -> str:
    """The reference without the mirror that it names; any other image than the declared one keeps its name."""
    repository, tag = split(reference)
    own = split(declared)[0]
    if not "/".join(place(repository)).endswith(f"/{place(own)[1]}"):
        return reference
    return f"{own}:{tag}" if tag else own


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that the engine has."""

    reference: str
    id: str
    digests: tuple[str, ...] = ()
    """Its names in registries, `redis@sha256:…`; none for an image that was built or loaded."""
    size: int = 0
    stub: bool = False
    """Whether its label says that it is a stub."""

    @property
    def digest(self) -> str:
        """The name that is the same on every machine, else the id."""
        own = f"{split(self.reference)[0]}@"
        return next((d for d in self.digests if d.startswith(own)), next(iter(self.digests), self.id))


@dataclass(frozen=True)
class Locked:
    """What the lock records of a reference."""

    digest: str
    id: str


class Match(StrEnum):
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    OTHER = "other"
    MISSING = "missing"


SAID = {
    Match.LOCKED: "the locked image",
    Match.UNLOCKED: "not in images.lock.json",
    Match.OTHER: "not the locked image",
    Match.MISSING: "not pulled",
}
"""Texts for the screen."""


def match(image: Image | None, locked: Locked | None) -> Match:
    """Compare with the lock: a loaded image has only its id, a pulled one has the digest, in whatever registry."""
    if image is None:
        return Match.MISSING
    if locked is None:
        return Match.UNLOCKED
    same = image.id == locked.id or _hash(locked.digest) in map(_hash, image.digests)
    return Match.LOCKED if same else Match.OTHER


def changed(images: Mapping[str, Image], lock: Mapping[str, Locked]) -> tuple[str, ...]:
    """References whose image is not the one that is locked."""
    return tuple(r for r, image in images.items() if match(image, lock.get(r)) is Match.OTHER)


def lock_of(images: Mapping[str, Image]) -> dict[str, Locked]:
    """What the lock records of images, by the reference without a mirror."""
    return {reference: Locked(_digest(reference, image), image.id) for reference, image in sorted(images.items())}


def _digest(reference: str, image: Image) -> str:
    """As it is called in the registry that the reference names."""
    return f"{split(reference)[0]}@{_hash(image.digest)}" if image.digests else image.id


def _hash(digest: str) -> str:
    """`sha256:…` of `redis@sha256:…`."""
    return digest.rpartition("@")[2]
