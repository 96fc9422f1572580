"""Who holds a lock, in words."""

from __future__ import annotations

import json

import pytest

from arcctl.checks.locks_report import Holder, explained, hint, read_holders

IDLE = {
    "pid": 41,
    "application": "psql",
    "address": "127.0.0.1",
    "state": "idle in transaction",
    "since": "2026-11-29 10:31:22+00",
}


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (IDLE, "psql (pid 41, 127.0.0.1, idle in transaction since 2026-11-29 10:31:22+00)"),
        ({"pid": 41}, "a session (pid 41)"),
        ({"pid": 41, "since": "10:31"}, "a session (pid 41, open since 10:31)"),
        ({"pid": 0}, "a prepared transaction"),
    ],
)
def test_a_holder_is_named_as_far_as_it_is_known(holder: dict[str, object], words: str) -> None:
    (found,) = read_holders(json.dumps([holder]))
    assert explained((found,)) == f"waited 20 s for a lock that is held by {words}"


@pytest.mark.parametrize(
    ("pid", "query"), [(41, "select * from pg_stat_activity where pid = 41"), (0, "table pg_prepared_xacts")]
)
def test_the_hint_shows_what_it_does(pid: int, query: str) -> None:
    expected = f"arcctl shell store --as root -- -xc '{query}'"
    assert hint("store", "root", (Holder(pid=pid),)).endswith(expected)
