"""What the commands about settings report. No report holds the value of a secret."""

from __future__ import annotations

from dataclasses import dataclass

from arcctl.lifecycle.plan import Step


@dataclass(frozen=True, kw_only=True)
class ListedSetting:
    name: str
    service: str
    value: str
    origin: str
    default: str | None
    """None where it is generated."""
    meaning: str


@dataclass(frozen=True)
class SettingsReport:
    settings: tuple[ListedSetting, ...]


@dataclass(frozen=True)
class ValidateReport:
    """All settings are valid."""

    settings: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ShownValue:
    value: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class ChangedSetting:
    """One setting before and after."""

    name: str
    service: str
    before: ShownValue
    after: ShownValue


@dataclass(frozen=True, kw_only=True)
class SetReport:
    changes: tuple[ChangedSetting, ...]
    written: bool
    warnings: tuple[str, ...]
    recreated: tuple[Step, ...] | None
    """The containers that the next `up` recreates; None where that is unknown: a dry run, or no engine answers."""
