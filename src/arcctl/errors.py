"""User errors, foreseen ones only. This module prints nothing: `terminal.errors` does.

ArcError                exit 1
├── UsageError          exit 2   a word on the command line is wrong
│   ├── UnknownService
│   └── KeyRefused               a passphrase or an age identity does not open a backup
├── SettingsError       exit 2   a setting is missing, unknown or invalid
├── ProjectError        exit 2   there is no project here, or its files cannot be read or written
│   ├── FileDamaged              what is in a file is not what has to be there
│   └── SecretsLost              there is data, but not the secrets that it was written with
├── EngineError         exit 3   the engine is missing, too old, or returned an error
│   ├── NotPermitted             this user may not use it
│   └── ProgramMissing           a client program is neither in the server's package nor on this machine
├── BuildError          exit 1   a server could not be built
├── BackupError         exit 1   a backup is damaged, or could not be written or restored
├── UpgradeError        exit 1   an upgrade is not possible, or failed
├── ArchiveError        exit 1   a downloaded or given archive is not what it should be
├── OutputError         exit 1   what a command prints cannot be written
├── UnhealthyError      exit 1   something asked for is unhealthy or failed
├── CommandRefused      exit 1   a server rejected a command
├── RotationRefused     exit 1   a server rejected a new secret, and nothing was changed
├── DeadlineError       exit 4   something was not ready in time
└── PreflightError      exit 5   a port is taken, disk is too small, or containers belong to another project
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_CODES = {
    0: "done",
    1: "something asked for is unhealthy or failed",
    2: "usage or invalid settings",
    3: "engine missing or unreachable",
    4: "timed out",
    5: "a check before the start failed",
    130: "interrupted",
    141: "the reader of the output closed the pipe before its end",
}
"""What each exit code of a command means."""


class ArcError(Exception):
    """What happened (`message`), what to do next (`hint`), and the exit code that a script sees."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ArcError):
    code = "usage"
    exit_code = 2


class UnknownService(UsageError):
    code = "unknown-service"


class KeyRefused(UsageError):
    code = "key-refused"


class SettingsError(ArcError):
    code = "invalid-settings"
    exit_code = 2


class ProjectError(ArcError):
    code = "project"
    exit_code = 2


class FileDamaged(ProjectError):
    code = "file-damaged"


class SecretsLost(ProjectError):
    code = "secrets-lost"


class EngineError(ArcError):
    code = "engine"
    exit_code = 3


class NotPermitted(EngineError):
    code = "not-permitted"


class ProgramMissing(EngineError):
    code = "program-missing"


class BuildError(ArcError):
    code = "build"


class BackupError(ArcError):
    code = "backup"


class UpgradeError(ArcError):
    code = "upgrade"


class ArchiveError(ArcError):
    code = "archive"


class OutputError(ArcError):
    code = "output"


class UnhealthyError(ArcError):
    code = "unhealthy"


class CommandRefused(ArcError):
    code = "refused"


class RotationRefused(ArcError):
    code = "rotation-refused"


class DeadlineError(ArcError):
    code = "deadline"
    exit_code = 4


class PreflightError(ArcError):
    code = "preflight"
    exit_code = 5


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """The hint for a name that does not exist: the nearest known one, or `otherwise`."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else otherwise
