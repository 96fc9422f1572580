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
    PULLING = "pulling"
    """An image is pulled or built; the lines of its progress follow as details of the same kind."""
    WAITING = "waiting"
    """Not ready yet; `message` is the reason of the last attempt."""
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Event:
    kind: Kind
    subject: str
    """The service or component that it is about; empty where it is about none."""
    message: str
    seconds: float = 0.0
    """Since the command began."""
    detail: bool = False
    """Of interest in a live display or with --verbose only: steps on the way, and components that do not fail."""


Sink = Callable[[Event], None]
