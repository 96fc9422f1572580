"""Images as an engine holds them, and whether they are the ones that were locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that the engine has."""

    reference: str
    id: str
    digests: tuple[str, ...] = ()
    """Its names in registries, `redis@sha256:…`; none for an image that was built or loaded."""
    size: int = 0
    double: bool = False
    """Whether it says of itself that it is a contract double."""

    @property
    def digest(self) -> str:
        """The name that is the same on every machine, else the id."""
        return self.digests[0] if self.digests else self.id


@dataclass(frozen=True)
class Locked:
    """What a reference has to be."""

    digest: str
    id: str


class Match(StrEnum):
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    OTHER = "other"
    MISSING = "missing"


SAID = {
    Match.LOCKED: "what is locked",
    Match.UNLOCKED: "not in the lock",
    Match.OTHER: "not what is locked",
    Match.MISSING: "not here",
}
"""How an image is spoken of."""


def match(image: Image | None, locked: Locked | None) -> Match:
    """An image that was carried by a file has its id alone, one that was pulled elsewhere its digest."""
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
