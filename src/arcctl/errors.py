"""User errors, foreseen ones only. This module prints nothing: `ui.errors` does.

ArcError
├── UsageError          exit 2   a wrong word on the command line
│   ├── UnknownService
│   └── KeyRefused               a passphrase or an age identity that does not open a backup
├── SettingsError       exit 2   a value that does not fit its field
├── HomeError           exit 2   no home here, or one that cannot be read or written
│   └── SecretsLost              data volumes without the secrets that open them
├── EngineError         exit 3   no engine, or one that refuses
│   └── ProgramMissing           a client that neither the server's package nor this machine has
├── BuildError          exit 1   a server could not be made from its source
├── BackupError         exit 1   a backup that could not be written, or is damaged
├── UpgradeError        exit 1   an upgrade that must not be done this way, or went wrong
├── ArchiveError        exit 1   a file that is not what it has to be
├── UnhealthyError      exit 1   something asked for is unhealthy or failed
├── CommandRefused      exit 1   a server took a command and refused it
├── RotationRefused     exit 1   a server did not take a new secret, and nothing was changed
├── DeadlineError       exit 4   not ready in time
└── PreflightError      exit 5   ports taken, too little memory or disk
"""

from __future__ import annotations

EXIT_CODES = {
    0: "done",
    1: "something asked for is unhealthy or failed",
    2: "usage or settings",
    3: "no engine",
    4: "timed out",
    5: "preflight refused",
    130: "interrupted",
}
"""What each exit code of a command means."""


class ArcError(Exception):
    """What happened (`message`), what to do next (`hint`), and the exit code a script sees."""

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


class HomeError(ArcError):
    code = "home"
    exit_code = 2


class SecretsLost(HomeError):
    code = "secrets-lost"


class EngineError(ArcError):
    code = "engine"
    exit_code = 3


class ProgramMissing(EngineError):
    code = "program-missing"


class BuildError(ArcError):
    code = "build"
    exit_code = 1


class BackupError(ArcError):
    code = "backup"
    exit_code = 1


class UpgradeError(ArcError):
    code = "upgrade"
    exit_code = 1


class ArchiveError(ArcError):
    code = "archive"
    exit_code = 1


class UnhealthyError(ArcError):
    code = "unhealthy"
    exit_code = 1


class CommandRefused(ArcError):
    code = "refused"


class RotationRefused(ArcError):
    code = "rotation-refused"
    exit_code = 1


class DeadlineError(ArcError):
    code = "deadline"
    exit_code = 4


class PreflightError(ArcError):
    code = "preflight"
    exit_code = 5
