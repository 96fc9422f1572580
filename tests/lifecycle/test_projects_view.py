"""How `projects` says when a project was last used."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

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
