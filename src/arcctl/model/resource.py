"""First-run set-up as data: what has to exist in a service before it can be used.

Texts may contain the placeholders of `smoke_test`, and each setting that a server issues (`env.server_issued`) by the
name of its field.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from arcctl.model.smoke_test import SmokeTest


@dataclass(frozen=True)
class Resource:
    """An account, a token, a database, a stream: checked first, created only where it is missing."""

    name: str
    check: SmokeTest
    """Passes where the resource exists and is as it should be."""
    _: KW_ONLY
    create: tuple[SmokeTest, ...] = ()
    """In order, from any state; empty where only the server's own first start creates it."""
    hint: str
    """What to do where it cannot be created."""
    absent: str = ""
    """What the reason of a failed check contains where the resource does not exist. Any other reason says nothing about
    that (the server starts, or a login is locked for a while), and nothing is created. Empty where creating it again
    changes nothing."""
    destroy: tuple[SmokeTest, ...] = ()
    """Removes it with all its data, when its service is removed with its data."""


class State(StrEnum):
    EXISTS = "exists"
    CREATED = "created"
    MISSING = "missing"
    """It was only checked."""
    REFUSED = "refused"
    """The server refused to create it, or did not say whether it exists."""
    SKIPPED = "skipped"
    """Its service is not running."""


@dataclass(frozen=True, kw_only=True)
class ResourceResult:
    """The result of one resource."""

    service: str
    resource: str
    state: State
    ms: int = 0
    reason: str = ""
    hint: str = ""
