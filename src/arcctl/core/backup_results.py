"""What came of taking, restoring and verifying a backup: what the display is handed."""

from __future__ import annotations

from dataclasses import dataclass, field

from arcctl.core.backup import Manifest
from arcctl.core.proof import Outcome, Report


@dataclass(frozen=True, kw_only=True)
class Created:
    name: str
    manifest: Manifest
    seconds: float
    down: tuple[str, ...]
    """Services that stood still for it and do not answer again."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one service's data."""

    service: str
    there: str
    """What goes; empty where nothing is."""
    comes: str
    bytes: int
    refused: str = ""
    """Why it stays as it is."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    manifest: Manifest
    changes: tuple[Change, ...]
    replaces_secrets: bool
    """Whether the home has secrets, and gets those of the backup instead."""
    strange_secrets: bool
    """Whether the backup was made with other secrets than the home has and keeps."""

    @property
    def replaces(self) -> bool:
        """Whether anything goes that somebody may want to keep."""
        return self.replaces_secrets or any(change.there and not change.refused for change in self.changes)


@dataclass(frozen=True, kw_only=True)
class Restored:
    services: tuple[str, ...]
    kept: dict[str, str]
    """Services that go on with the data that they had, with the reason."""
    files: tuple[str, ...]
    """Files of the home that were written."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Checked:
    name: str
    damages: tuple[str, ...]
    kept: dict[str, str] = field(default_factory=dict)
    """Services that could not be restored, with the reason."""
    left_out: tuple[str, ...] = ()
    """Services that cannot run twice on this machine: their files are whole, and more was not shown."""
    report: Report | None = None
    """What was shown with the restored data; None where only hashes were compared."""

    @property
    def broken(self) -> tuple[str, ...]:
        """Services whose proofs do not hold. One that declares none was at least restored, and answered."""
        verdicts = self.report.services if self.report else ()
        return tuple(v.service for v in verdicts if v.outcome is Outcome.BROKEN)

    @property
    def passed(self) -> bool:
        return not (self.damages or self.kept or self.broken)
