"""What a server says in its log when it cannot run, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a server cannot run."""

    DATA = "data"
    """It cannot read its data, which are damaged."""
    VERSION = "version"
    """Its data are of another version."""
    LOCK = "lock"
    """Another process uses its data, or ended without giving them back."""
    PORT = "port"
    """Another process listens on its port."""
    PERMISSION = "permission"
    """It may not use a file, or a port below 1024."""
    PASSWORD = "password"  # noqa: S105 - the name of a cause
    """A server that it uses refuses its password."""
    SPACE = "space"
    """Its disk is full."""
    CONFIGURATION = "configuration"
    """Its configuration is not valid."""


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """A pattern for lines of a log, and what they mean.

    It is quoted from its group `words`, else whole. The groups `port`, `path`, `folder`, `line`, `user`, `pid` and
    `version` (that of the data) say what the cause is about.
    """

    cause: Cause
    pattern: str
    """A regular expression; of several lines with `\\n`."""
    repair: str = ""
    """For damaged data: the command of the server's own tool, as it is typed in the volume; it may throw some away."""
    file: str = ""
    """For a lock: the file that a dead process leaves, in the group `folder`."""
    about_data: bool = False
    """For a permission: whether it means the folder with its data, which the line does not name."""
