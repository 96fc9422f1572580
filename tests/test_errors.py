"""The exit codes that scripts rely on."""

from __future__ import annotations

import pytest

from arcctl import errors
from arcctl.errors import ArcError

CODES = {
    "ArcError": ("error", 1),
    "UsageError": ("usage", 2),
    "UnknownService": ("unknown-service", 2),
    "SettingsError": ("invalid-settings", 2),
    "ProjectError": ("project", 2),
    "FileDamaged": ("file-damaged", 2),
    "SecretsLost": ("secrets-lost", 2),
    "EngineError": ("engine", 3),
    "NotPermitted": ("not-permitted", 3),
    "ProgramMissing": ("program-missing", 3),
    "BuildError": ("build", 1),
    "BackupError": ("backup", 1),
    "KeyRefused": ("key-refused", 2),
    "UpgradeError": ("upgrade", 1),
    "ArchiveError": ("archive", 1),
    "OutputError": ("output", 1),
    "UnhealthyError": ("unhealthy", 1),
    "CommandRefused": ("refused", 1),
    "RotationRefused": ("rotation-refused", 1),
    "DeadlineError": ("deadline", 4),
    "PreflightError": ("preflight", 5),
}


def test_each_kind_of_error_has_its_code() -> None:
    kinds = {n: k for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, ArcError)}
    assert {name: (kind.code, kind.exit_code) for name, kind in kinds.items()} == CODES


@pytest.mark.parametrize("name", CODES)
def test_the_list_at_the_head_of_the_module_names_it(name: str) -> None:
    assert name in (errors.__doc__ or "")


def test_an_error_is_what_happened_and_what_to_do_next() -> None:
    error = ArcError("it rains", hint="take a coat")
    assert (str(error), error.message, error.hint) == ("it rains", "it rains", "take a coat")
