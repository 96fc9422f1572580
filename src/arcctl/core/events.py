"""What happens while a command works: a stream of small facts that any display can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    NOTE = "note"
    """One line for the user; `subject` is empty."""
    WARNING = "warning"
    WORKING = "working"
    """Something began; `message` says what and why."""
    WAITING = "waiting"
    """Not ready yet; `message` is the reason of the last attempt."""
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Event:
    kind: Kind
    subject: str
    message: str
    seconds: float = 0.0


Sink = Callable[[Event], None]
