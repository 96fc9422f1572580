"""What the states of a Postgres server mean for its clients."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.checks.database_report import Extension, ServerState, answer
from arcctl.model.probe import Answer, Postgres

PROBE = Postgres(port=1, user="arc", password="x", superuser="root", superuser_password="y", service="store")
FINE = ServerState(100, {"shop (web)": 50, "arc": 10}, (), ready=True)
HINT = "give the largest a smaller pool; to see what each does: arcctl shell store --as root"
FULL = "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute"
MANY = {"a": 40, "b": 30, "c": 20, "d": 5, "e": 3, "f": 2}


def _printed(found: Answer) -> list[str]:
    """The hint is shown where it is not the usual one."""
    head = f"{'ok' if found.ok else 'not ok'}: {found.reason}"
    return [head, *(f"{f.status} {f.id}: {f.message}" + f" -> {f.hint}" * bool(f.hint) for f in found.findings)]


@pytest.mark.parametrize(
    ("state", "refused", "extensions", "printed"),
    [
        (FINE, "", (), ["ok: logged in as arc", "pass connections: connections: 60 of 100 used (60 %)"]),
        (
            replace(FINE, holders={"shop (web)": 70, "arc": 10}),
            "",
            (),
            [
                "ok: logged in as arc",
                f"warn connections: connections: 80 of 100 used (80 %): shop (web) 70, arc 10 -> {HINT}",
            ],
        ),
        (
            replace(FINE, holders=MANY),
            FULL,
            (),
            [
                f"not ok: arc cannot log in: {FULL};"
                " connections: 100 of 100 used (100 %): a 40, b 30, c 20, d 5, others 5",
                f"fail connections: connections: 100 of 100 used (100 %): a 40, b 30, c 20, d 5, others 5 -> {HINT}",
            ],
        ),
        (
            FINE,
            "password authentication failed",
            (),
            [
                "ok: logged in as root",
                "fail login: arc cannot log in: password authentication failed -> arcctl bootstrap store",
                "pass connections: connections: 60 of 100 used (60 %)",
            ],
        ),
        (
            replace(FINE, ready=False),
            "password authentication failed",
            (),
            [
                "ok: logged in as root",
                "warn login: arc has no role or no database yet -> arcctl bootstrap store",
                "pass connections: connections: 60 of 100 used (60 %)",
            ],
        ),
        (
            replace(FINE, outdated=["arc", "shop"]),
            "",
            (
                Extension("arc", "vector", "0.7.0", "0.8.6"),
                Extension("shop", "vector", "0.7.0", "0.8.6"),
                Extension("shop", "pg_trgm", "1.5", "1.6"),
            ),
            [
                "ok: logged in as arc",
                "pass connections: connections: 60 of 100 used (60 %)",
                "warn collation: the operating system sorts text in another way than it did for arc, shop: indexes may"
                " miss rows and let duplicates in, until REINDEX DATABASE and ALTER DATABASE ... REFRESH COLLATION"
                " VERSION -> arcctl db refresh",
                "warn extensions: vector is 0.7.0 and the server has 0.8.6 (in arc, shop);"
                " pg_trgm is 1.5 and the server has 1.6 (in shop), until ALTER EXTENSION ... UPDATE"
                " -> arcctl db refresh",
            ],
        ),
    ],
    ids=["fine", "tight", "full", "wrong password", "new", "newer image"],
)
def test_each_state_is_told_with_what_to_do(
    state: ServerState, refused: str, extensions: tuple[Extension, ...], printed: list[str]
) -> None:
    assert _printed(answer(PROBE, state, refused, extensions)) == printed
