"""How much of something is used, in words."""

from __future__ import annotations

import pytest

from arcctl.model.probe import Figure, Usage, findings


@pytest.mark.parametrize(
    ("usage", "text", "tight"),
    [
        (Usage(what="connections", used=7, limit=10), "connections: 7 of 10 used (70 %)", False),
        (Usage(what="connections", used=8, limit=10), "connections: 8 of 10 used (80 %)", True),
        (Usage(what="connections", used=8, limit=-1), "connections: 8 used", False),
        (
            Usage(what="storage", used=5 << 29, limit=3 << 30, in_bytes=True),
            "storage: 2.5 GiB of 3.0 GiB used (83 %)",
            True,
        ),
        (
            Usage(what="memory", used=12, limit=5 << 20, in_bytes=True, holders={"a": 12}),
            "memory: 12 of 5.0 MiB used (0 %)",
            False,
        ),
    ],
)
def test_a_limit_is_tight_from_four_fifths_on(usage: Usage, text: str, tight: bool) -> None:
    assert (str(usage), usage.tight) == (text, tight)


def test_only_figures_that_the_server_gave_are_told() -> None:
    figures = (Figure("clients", "used", "most", hint="close some"), Figure("memory", "bytes", "limit", hint=""))
    (found,) = findings(figures, {"used": 9, "most": 10, "bytes": 1})
    assert (found.id, found.status, found.hint) == ("clients", "warn", "close some")
