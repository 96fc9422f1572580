"""What the commands report about images and upgrades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from arcctl.images.plan import Move
from arcctl.model.image import Locked, Match


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """An image that services use, and what the engine has under its reference."""

    reference: str
    upstream: str
    """The reference without the registry mirror, as in the lock."""
    registry: str | None
    """The host that it is pulled from; None for an image that is built."""
    present: bool
    id: str | None
    """None, as the next two, where the engine does not have it."""
    digest: str | None
    size: int | None
    """Bytes."""
    stub: bool
    used_by: tuple[str, ...]
    """Containers that are declared with this image."""
    built: bool
    state: Match
    mismatches: tuple[str, ...]
    """One sentence for each of these containers that was created from another image."""


@dataclass(frozen=True, kw_only=True)
class LockReport:
    images: Mapping[str, Locked]
    missing: tuple[str, ...]
    """Images that the engine does not have; their entries in the lock did not change."""


@dataclass(frozen=True, kw_only=True)
class SaveReport:
    file: PurePath
    size: int
    """Bytes."""
    images: tuple[ListedImage, ...]


@dataclass(frozen=True, kw_only=True)
class NewerTags:
    """What a registry has that is newer than one image."""

    reference: str
    component: str
    """The name by which `upgrade --to` chooses another tag."""
    tags: tuple[str, ...] = ()
    """The newest first."""
    unknown: str = ""
    """Why the tags are unknown."""


class UpgradeStatus(StrEnum):
    PLANNED = "planned"
    UPGRADED = "upgraded"
    UNDOABLE = "undoable"
    UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class UpgradeReport:
    status: UpgradeStatus
    moves: tuple[Move, ...]
    at: str = ""
    """When it began, in UTC; empty for a plan."""
    backup: str = ""
    """Empty where none of the services keeps data."""
    saved: tuple[str, ...] = ()
    """The services whose data is in the backup."""

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(move.service for move in self.moves))
