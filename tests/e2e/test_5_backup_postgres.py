"""Backups of Postgres: every kind of database comes back as it was, and what cannot is said by name."""

from __future__ import annotations

import contextlib
import json
import shlex
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.clients import OLDER, sql, superuser
from tests.e2e.driver import PROGRAM, Done, Platform, reason

SECONDS = 20.0
"""How long a statement waits for a lock."""
SLOW = 25.0
"""Seconds that anything else may take."""


@pytest.fixture(params=["platform", "local_project"], scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """Only Postgres, on each engine."""
    found: Platform = request.getfixturevalue(request.param)
    found.arcctl("up", "postgres").ok()
    yield found
    found.arcctl("clean", "--yes").ok()


def _create(platform: Platform) -> tuple[str, Done]:
    done = platform.arcctl("backup", "create", "postgres")
    return done.out.strip(), done


def _restore(platform: Platform, name: str) -> Done:
    return platform.arcctl("backup", "restore", name, "--yes")


def _databases(platform: Platform) -> set[str]:
    with superuser(platform) as admin:
        return {name for (name,) in admin.execute("SELECT datname FROM pg_database")}


def _run(platform: Platform, database: str, *statements: str) -> None:
    with superuser(platform, database) as connection:
        for statement in statements:
            connection.execute(statement)


def _value(platform: Platform, query: str, database: str = "postgres") -> Any:
    with superuser(platform, database) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


KINDS = {
    "shelf": ("ENCODING 'UTF8' LOCALE 'C.UTF-8' IS_TEMPLATE true", True),
    "frozen": ("ENCODING 'UTF8' LOCALE 'C.UTF-8'", False),
    "frozen shelf": ("ENCODING 'UTF8' LOCALE 'C.UTF-8' IS_TEMPLATE true", False),
    "bare": ("ENCODING 'SQL_ASCII' LOCALE 'C'", True),
    "latin": ("ENCODING 'LATIN1' LOCALE 'C' CONNECTION LIMIT 3", True),
    "builtin": ("ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'", True),
    "sorted": ("LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de' ICU_RULES '& V << w <<< W'", True),
    "with\nline": ("", True),
}
"""How databases are created, and whether anybody may connect to them."""
_CATALOGUE = """\
SELECT json_agg(to_jsonb(d) - '{oid,datdba,datfrozenxid,datminmxid}'::text[] ORDER BY datname)
  FROM pg_database d WHERE datname <> 'template0'
"""


def _kinds(platform: Platform) -> dict[str, tuple[str, bool]]:
    """Those that this server can have: the one of the embedded engine is built without ICU."""
    icu = _value(platform, "SELECT icu_unicode_version()")
    return {name: kind for name, kind in KINDS.items() if icu or "icu" not in kind[0]}


def _make(platform: Platform) -> None:
    for name, (words, _) in _kinds(platform).items():
        _run(platform, "postgres", f'CREATE DATABASE "{name}" TEMPLATE template0 {words}')
        _run(platform, name, "CREATE TABLE kept AS SELECT n FROM generate_series(1, 100) n")
    _run(platform, "template1", "CREATE TABLE in_every_new_database (n int)")
    _allow(platform, False)


def _allow(platform: Platform, opened: bool) -> None:
    for name in (name for name, (_, always) in KINDS.items() if not always):
        _run(platform, "postgres", f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {opened}')


def _read(platform: Platform) -> Any:
    catalogue = _value(platform, _CATALOGUE)
    _allow(platform, True)
    counts = {name: _value(platform, "SELECT count(*) FROM kept", name) for name in _kinds(platform)}
    _allow(platform, False)
    return catalogue, counts, _value(platform, "SELECT to_regclass('in_every_new_database')", "template1")


def test_every_kind_of_database_comes_back_as_it_was_and_so_does_a_backup_of_that(server: Platform) -> None:
    _make(server)
    expected = _read(server)
    for _ in range(2):
        name, done = _create(server)
        assert (done.code, "frozen shelf" in done.err) == (0, True)
        assert _read(server) == expected
        server.arcctl("clean", "--yes").ok()
        _restore(server, name).ok()
        assert _read(server) == expected
    for name in _kinds(server):
        _run(server, "postgres", f'ALTER DATABASE "{name}" IS_TEMPLATE false', f'DROP DATABASE "{name}"')
    _run(server, "template1", "DROP TABLE in_every_new_database")


def test_one_bad_database_is_named_and_the_others_are_kept(server: Platform) -> None:
    _run(server, "postgres", "CREATE DATABASE half", "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half'")
    name, done = _create(server)
    assert done.code == 1
    why = "a DROP DATABASE of it was interrupted; it can only be dropped (arcctl db drop half)"
    assert f"not in this backup: postgres: half: {why}" in done.err
    assert "is complete" not in done.err
    (entry,) = (
        e for e in json.loads(server.arcctl("backup", "list", "--json").ok().out)["backups"] if e["name"] == name
    )
    assert [m["name"] for m in entry["missing"]] == ["half"]
    assert {"arc", "postgres", "template1"} <= {p["name"] for p in entry["parts"]}
    assert "not complete: postgres: half" in server.arcctl("backup", "list").ok().out
    assert "half was left by a DROP DATABASE" in server.arcctl("db", "list").ok().err
    restored = _restore(server, name).ok()
    assert "not in this backup: postgres: half" in restored.err
    server.arcctl("db", "drop", "half", "--yes").ok()
    assert "half" not in _databases(server)
    assert _create(server)[1].code == 0


def test_a_database_with_a_subscription_is_replaced_and_so_said(server: Platform) -> None:
    away = "CREATE SUBSCRIPTION away CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p"
    _run(server, "arc", "CREATE TABLE notes AS SELECT 1 AS n", f"{away} WITH (connect = false, slot_name = 'here')")
    _run(server, "arc", "ALTER SUBSCRIPTION away ENABLE")
    name, _ = _create(server)
    _run(server, "arc", "INSERT INTO notes VALUES (2)")
    done = _restore(server, name).ok()
    assert "restored: postgres" in done.err
    assert 'arc: its subscription away is disabled; to go on: ALTER SUBSCRIPTION "away" ENABLE' in done.err
    assert _value(server, "SELECT count(*) FROM notes", "arc") == 1
    assert _value(server, "SELECT subenabled FROM pg_subscription") is False
    assert [d for d in _databases(server) if d.startswith("arcctl_")] == []
    refused = server.arcctl("db", "drop", "arc", "--yes")
    assert refused.code == 2
    _run(
        server,
        "arc",
        "ALTER SUBSCRIPTION away SET (slot_name = NONE)",
        "DROP SUBSCRIPTION away",
        "DROP TABLE notes",
    )


def test_a_copy_that_another_restore_left_is_never_dropped(server: Platform) -> None:
    name, _ = _create(server)
    for copy in ("arcctl_old_0", "arcctl_new_0"):
        _run(server, "postgres", f"CREATE DATABASE {copy}")
        _run(server, copy, "CREATE TABLE mine AS SELECT 1 AS n")
    _restore(server, name).ok()
    _create(server)[1].ok()
    for copy in ("arcctl_old_0", "arcctl_new_0"):
        assert _value(server, "SELECT n FROM mine", copy) == 1
        server.arcctl("db", "drop", copy, "--yes").ok()
    assert [d for d in _databases(server) if d.startswith("arcctl_")] == []


@contextlib.contextmanager
def _holding(platform: Platform, database: str, *statements: str) -> Iterator[int]:
    """A session that holds locks and does nothing; its number."""
    with superuser(platform, database) as connection:
        connection.execute("SET application_name TO forgetful")
        connection.autocommit = False
        for statement in statements:
            connection.execute(statement)
        yield connection.info.backend_pid
        with contextlib.suppress(Exception):
            connection.rollback()


def _names_the_holder(platform: Platform, pid: int, *words: str) -> Done:
    """A command that ends in time, with exit code 1 and with who holds the lock."""
    began = time.monotonic()
    done = platform.arcctl(*words, timeout=120)
    assert time.monotonic() - began < SECONDS + 2 * SLOW
    assert done.code == 1, done.err
    assert f"for a lock that is held by forgetful (pid {pid}, " in done.err
    assert "idle in transaction since 2" in done.err
    return done


@pytest.mark.parametrize("lock", ["LOCK TABLE held", "CREATE OR REPLACE VIEW seen AS SELECT 2 AS n"])
def test_a_backup_does_not_wait_for_a_lock_for_ever_and_says_who_holds_it(server: Platform, lock: str) -> None:
    _run(server, "arc", "CREATE TABLE held (n int)", "CREATE VIEW seen AS SELECT 1 AS n")
    with _holding(server, "arc", lock) as pid:
        done = _names_the_holder(server, pid, "backup", "create", "postgres")
        assert "not in this backup: postgres: arc: pg_dump of postgres: waited 20 s" in done.err
        command = done.err[done.err.index("arcctl shell") :].split(")")[0]
        shown = server.arcctl(*shlex.split(command)[1:]).ok()
        assert "forgetful" in shown.out
    _run(server, "arc", "DROP TABLE held", "DROP VIEW seen")
    assert _create(server)[1].code == 0


def test_a_restore_that_cannot_get_a_lock_keeps_all_data_and_says_so(server: Platform) -> None:
    name, _ = _create(server)
    _run(server, "arc", "CREATE TABLE since_then ()")
    _run(server, "postgres", "CREATE DATABASE elsewhere TEMPLATE template0")
    with _holding(server, "elsewhere", "COMMENT ON DATABASE arc IS 'x'") as pid:
        done = _names_the_holder(server, pid, "backup", "restore", name, "--yes")
        assert "not restored: postgres: " in done.err
    assert _value(server, "SELECT to_regclass('since_then')", "arc") == "since_then"
    assert [d for d in _databases(server) if d.startswith("arcctl_")] == []
    _run(server, "arc", "DROP TABLE since_then")
    server.arcctl("db", "drop", "elsewhere", "--yes").ok()


def test_a_rotation_and_a_drop_name_who_holds_a_lock(server: Platform) -> None:
    with _holding(server, "postgres", "ALTER ROLE arc CONNECTION LIMIT 100") as pid:
        _names_the_holder(server, pid, "secrets", "rotate", "POSTGRES_APP_PASSWORD", "--yes")
    with sql(server) as arc:
        arc.execute("SELECT 1")
    server.arcctl("db", "create", "shop").ok()
    with _holding(server, "postgres", "COMMENT ON DATABASE shop IS 'x'") as pid:
        done = _names_the_holder(server, pid, "db", "drop", "shop", "--yes")
        assert "the database shop is not dropped: postgres: waited" in done.err
    server.arcctl("db", "drop", "shop", "--yes").ok()


def test_what_a_role_owns_elsewhere_is_named_before_anything_is_dropped(server: Platform) -> None:
    server.arcctl("db", "create", "shop").ok()
    _run(server, "arc", "CREATE SCHEMA of_shop AUTHORIZATION shop", "CREATE TABLE of_shop.orders ()")
    _run(server, "arc", "ALTER TABLE of_shop.orders OWNER TO shop")
    _run(server, "postgres", "CREATE DATABASE shop_archive OWNER shop", "GRANT shop TO arc")
    done = server.arcctl("db", "drop", "shop", "--yes")
    assert done.code == 1
    *_, error, hint = done.err.splitlines()
    assert error.startswith("error: 'shop' is not dropped, nor anything of it; in the way: ")
    for part in ("database shop_archive", "table of_shop.orders", "schema of_shop", "in the database arc"):
        assert part in error
    assert "shop" in _databases(server)
    command = hint.removeprefix("hint: ").replace("arcctl", PROGRAM, 1)
    assert "shop_archive" in server.arcctl(*shlex.split(command)[1:]).ok().out
    _run(server, "arc", "REASSIGN OWNED BY shop TO arc")
    _run(server, "postgres", "ALTER DATABASE shop OWNER TO shop")
    server.arcctl("db", "drop", "shop", "--yes").ok()
    assert _value(server, "SELECT count(*) FROM pg_roles WHERE rolname = 'shop'") == 0
    _run(server, "arc", "DROP SCHEMA of_shop CASCADE")
    _run(server, "postgres", "DROP DATABASE shop_archive")


def test_a_subscription_is_named_before_its_database_is_dropped(server: Platform) -> None:
    server.arcctl("db", "create", "shop").ok()
    away = "CREATE SUBSCRIPTION away CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p"
    _run(server, "shop", f"{away} WITH (connect = false, slot_name = NONE)")
    done = server.arcctl("db", "drop", "shop", "--yes")
    assert (done.code, "in the way: the subscription away" in done.err, "shop" in _databases(server)) == (1, True, True)
    command = done.err.splitlines()[-1].removeprefix("hint: arcctl ")
    server.arcctl(*shlex.split(command)).ok()
    _run(server, "postgres", "ALTER DATABASE shop IS_TEMPLATE true")
    command = server.arcctl("db", "drop", "shop", "--yes").err.splitlines()[-1].removeprefix("hint: arcctl ")
    server.arcctl(*shlex.split(command)).ok()
    server.arcctl("db", "drop", "shop", "--yes").ok()


def test_an_old_pgvector_in_a_database_of_a_user_is_seen_and_updated(server: Platform) -> None:
    server.arcctl("db", "create", "shop").ok()
    for repair in (("db", "refresh"), ("bootstrap", "postgres")):
        _run(server, "shop", OLDER)
        found = server.service("postgres")
        assert found["status"] == "degraded"
        assert "(in shop), until ALTER EXTENSION" in reason(found)
        assert server.arcctl("verify", "postgres").code == 1
        assert server.arcctl("bootstrap", "postgres", "--check").code == 1
        server.arcctl(*repair).ok()
        assert server.service("postgres")["status"] == "healthy"
    server.arcctl("db", "drop", "shop", "--yes").ok()
