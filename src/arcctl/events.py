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
    """An image is pulled; its progress follows as details of the same kind, and `ready` or `failed` ends it."""
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
    done: int = 0
    """Bytes of an image that are downloaded."""
    total: int = 0
    """All bytes to download, as far as they are known; 0 before the first, and where it is about no image."""


Sink = Callable[[Event], None]
