"""What the commands about backups report."""

from __future__ import annotations

from dataclasses import dataclass, field

from arcctl.backup.manifest import Entry, Manifest
from arcctl.checks.verify_report import Outcome, Report


@dataclass(frozen=True, kw_only=True)
class CreateReport:
    name: str
    manifest: Manifest
    seconds: float
    down: tuple[str, ...]
    """Services that were stopped while their files were copied, and do not answer again."""

    @property
    def passed(self) -> bool:
        return not (self.down or self.manifest.missing)


@dataclass(frozen=True)
class ListReport:
    backups: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a restore does to the data of one service."""

    service: str
    current: str
    """The data that is replaced; empty where there is none."""
    restored: str
    bytes: int
    refused: str = ""
    """Why the service keeps its data."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What `restore` would do."""

    manifest: Manifest
    changes: tuple[Change, ...]
    replaces_secrets: bool
    """Whether the project has secrets, and gets those of the backup instead."""
    other_secrets: bool
    """Whether the backup was made with other secrets than those that the project has and keeps."""

    @property
    def replaces(self) -> bool:
        """Whether anything is replaced that somebody may want to keep."""
        return self.replaces_secrets or any(change.current and not change.refused for change in self.changes)


@dataclass(frozen=True, kw_only=True)
class RestoreReport:
    restored: tuple[str, ...]
    not_restored: dict[str, str]
    """Services that keep the data that they had, with the reason."""
    replaced: dict[str, str]
    """Services that have the data of the backup although that failed, with the reason."""
    kept: dict[str, str]
    """Restored services with a copy of the data from before that could not be deleted."""
    files: tuple[str, ...]
    """Files of the project that were written."""
    seconds: float

    @property
    def failed(self) -> dict[str, str]:
        return {**self.not_restored, **self.replaced}


@dataclass(frozen=True, kw_only=True)
class SeedPlan:
    """What a project gets of another one."""

    source: str
    """The name of the other project."""
    directory: str
    backup: str = ""
    """The name of the backup that the data comes from; empty where volumes are copied."""
    created_at: str = ""
    """When that backup was created."""
    taken: dict[str, str]
    """What each service or component gets."""
    left_out: dict[str, str]
    """Services with data that stays behind, with the reason."""
    settings: tuple[str, ...] = ()
    """The names of settings that come with the data; all secrets do, too."""


@dataclass(frozen=True, kw_only=True)
class SeedReport:
    plan: SeedPlan
    seconds: float


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    name: str
    damages: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """What is not in the backup, with the reason."""
    not_restored: dict[str, str] = field(default_factory=dict)
    """Services that could not be restored, with the reason."""
    hashes_only: tuple[str, ...] = ()
    """Services that cannot run twice on this machine: their files are intact, and no more is known."""
    report: Report | None = None
    """The smoke tests on the restored data; None where only hashes were compared."""

    @property
    def passed(self) -> bool:
        verdicts = self.report.services if self.report else ()
        broken = any(v.outcome is Outcome.FAILED for v in verdicts)
        return not (self.damages or self.missing or self.not_restored or broken)
