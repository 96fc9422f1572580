"""Images of an engine, and whether they are the locked ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

STUB = "(stub)"
"""Follows the version of a service whose image is a stub."""
_REFERENCE = re.compile(r"(?P<repository>[^@]+?):(?P<tag>[^/:@]+)")


def split(reference: str) -> tuple[str, str]:
    """Repository and tag; the tag is empty where the reference has none, or a digest in its place."""
    found = _REFERENCE.fullmatch(reference)
    return (found["repository"], found["tag"]) if found else (reference, "")


def registry(repository: str) -> str:
    """The host that a repository is at, by the rules of Docker; empty for Docker Hub."""
    host, slash, _ = repository.partition("/")
    return host if slash and ("." in host or ":" in host or host == "localhost") else ""


def registry_name(reference: str) -> str:
    """The registry of an image, for people."""
    return registry(split(reference)[0]) or "Docker Hub"


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
        return self.digests[0] if self.digests else self.id


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
    """Compare with the lock: a loaded image has only its id, a pulled one has the digest."""
    if image is None:
        return Match.MISSING
    if locked is None:
        return Match.UNLOCKED
    same = image.id == locked.id or locked.digest in image.digests
    return Match.LOCKED if same else Match.OTHER


def changed(images: Mapping[str, Image], lock: Mapping[str, Locked]) -> tuple[str, ...]:
    """References whose image is not the one that is locked."""
    return tuple(r for r, image in images.items() if match(image, lock.get(r)) is Match.OTHER)


def lock_of(images: Mapping[str, Image]) -> dict[str, Locked]:
    return {reference: Locked(image.digest, image.id) for reference, image in sorted(images.items())}
