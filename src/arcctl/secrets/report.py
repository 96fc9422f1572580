"""What the commands about secrets report. No report holds a value, except the one of `export`."""

from __future__ import annotations

from dataclasses import dataclass

from arcctl.secrets.plan import Step


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One secret as `list` shows it."""

    name: str
    service: str
    """The service that owns it."""
    users: tuple[str, ...]
    """The services that use it."""
    containers: tuple[str, ...]
    """The containers that read it from a file."""
    restarts: tuple[str, ...]
    """Those of them that a rotation restarts."""
    origin: str
    changed: str | None
    """When it last changed, as ISO 8601; None where that is not known."""
    rotation: bool
    reason: str
    """Why it cannot be rotated; empty where it can."""
    hint: str


@dataclass(frozen=True)
class ListReport:
    secrets: tuple[Entry, ...]


@dataclass(frozen=True)
class SecretPlan:
    """How one secret is going to be changed."""

    name: str
    warning: str
    """What a user will notice; empty where nothing."""
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Refusal:
    """Why one secret is not going to be changed."""

    name: str
    reason: str
    hint: str


@dataclass(frozen=True)
class Preview:
    """What `rotate` would do."""

    secrets: tuple[SecretPlan, ...]
    left_out: tuple[Refusal, ...]
    unfinished: tuple[str, ...]
    """What an interrupted rotation left open; it is finished first."""


@dataclass(frozen=True)
class RotateReport:
    rotated: tuple[str, ...]
    broken: dict[str, str]
    """Services that fail their smoke test afterwards, with the reason."""
    seconds: float
