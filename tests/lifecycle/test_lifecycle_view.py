"""How commands say when a project was last used, and which ports were chosen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from arcctl.lifecycle import view
from arcctl.lifecycle.report import InitReport
from arcctl.lifecycle.view import ago

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used", "said"),
    [
        ("2026-11-30T11:59:30Z", "now"),
        ("2026-11-30T11:57:00Z", "3 min ago"),
        ("2026-11-30T09:59:00Z", "2 h ago"),
        ("2026-11-29T11:00:00Z", "1 day ago"),
        ("2026-11-20T11:00:00Z", "10 days ago"),
        ("", "?"),
    ],
)
def test_the_last_use_is_said_in_words(used: str, said: str) -> None:
    assert ago(used, NOW) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "chosen because the default ports are not free: A_PORT=1"),
        (7, "7 default ports are not free, others were chosen; to see them: arcctl info"),
    ],
)
def test_a_few_chosen_ports_are_named_and_many_are_counted(
    number: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = {f"{name}_PORT": at for at, name in enumerate("ABCDEFG"[:number], 1)}
    view.init(InitReport(directory=Path("shop"), generated=(), ports=ports))
    assert capsys.readouterr().err.splitlines()[1] == said
