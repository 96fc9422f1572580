"""Errors and their hints."""

from __future__ import annotations

import pytest

from arcctl.errors import ArcError, EngineError, SettingsError
from arcctl.terminal import errors

pytestmark = pytest.mark.usefixtures("plain_streams")


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (EngineError("no engine", hint="start it"), "error: no engine\nhint: start it\n"),
        (SettingsError("[bold]A[/bold]: does not fit :boom:"), "error: [bold]A[/bold]: does not fit :boom:\n"),
        (ArcError("x" * 300, hint="y" * 300), f"error: {'x' * 300}\nhint: {'y' * 300}\n"),
    ],
    ids=["with a hint", "markup is text", "long ones are not folded"],
)
def test_an_error_is_what_happened_and_what_to_do_next_on_stderr(
    error: ArcError, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    errors.show(error)
    assert tuple(capsys.readouterr()) == ("", shown)
