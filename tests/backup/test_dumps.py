"""What is done with databases where the server refuses; what a server accepts is in the end-to-end tests."""

from __future__ import annotations

import io
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pytest

from arcctl.backup.base import NotTaken
from arcctl.backup.clients import dumps
from arcctl.backup.clients.dumps import MARK, DatabaseCopier
from arcctl.backup.manifest import Kind
from arcctl.engines.base import Executed
from arcctl.errors import BackupError
from arcctl.model.backup_method import Dump
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeEngine

METHOD = Dump(port=1, user="root", password="p")
DEFAULT = {
    "encoding": "ENCODING 'UTF8'",
    "locale": "LC_COLLATE 'en_US.utf8'",
    "locale_is_server_default": True,
    "tablespace": "fast",
}
TABLESPACES = "the content of these tablespaces is in the backup, they themselves are not"
CANCELED = Executed(1, b"", "pg_dump: error: query failed: ERROR:  canceling statement due to user request")
BROKEN = Executed(1, b"", "pg_dump: error: invalid page in block 0 of relation base/5/1")
HELD = [{"pid": 7, "application": "psql", "address": "", "state": "", "since": ""}]


@dataclass
class Server(FakeEngine):
    """Databases by name, with what else a server would say."""

    databases: dict[str, int] = field(default_factory=dict)
    refusing: str = ""
    """A part of the SQL that is refused."""
    locked: str = ""
    """The program that waits for a lock until somebody looks."""
    looked: bool = False
    dump: Executed = field(default_factory=lambda: Executed(0))
    """How a dump ends."""
    started: int = 1
    """Grows when the server starts again; 0 while none answers."""
    started_after_dump: int = 1
    tablespaces: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    """Those of each database."""
    removals: list[str] = field(default_factory=lambda: ["DROP ROLE root;"])
    """What takes away each role and membership."""
    scripts: list[str] = field(default_factory=list)

    def execute(self, key: str, words: tuple[str, ...], *, stdin: BinaryIO | None = None, **more: Any) -> Executed:
        if self.locked == words[0]:
            while not self.looked:
                time.sleep(0.001)
        if words[0] == "pg_dump":
            self.started = self.started_after_dump
            return self.dump
        if words[0] != "psql":
            return Executed(0)
        if not self.started:
            return Executed(2, b"", "psql: error: connection refused")
        return self._query(words[-1]) if stdin is None else self._script(stdin.read().decode())

    def _query(self, sql: str) -> Executed:
        if "pg_blocking_pids" in sql:
            self.looked = True
            return Executed(0, json.dumps(HELD).encode())
        name = (re.findall(r"datname = '([^']*)'", sql) or [""])[0]
        if sql.startswith("SELECT oid"):
            return Executed(0, str(self.databases.get(name, "")).encode())
        if "json_build_object('started'" in sql:
            state = {"started": self.started, "invalid": name == "half", "open": True}
            return Executed(0, json.dumps(state).encode())
        answers = {
            "pg_auth_members": "\n".join(self.removals),
            "json_agg(spcname": json.dumps(self.tablespaces),
            "'server'": json.dumps({"databases": {}, "server": ["ALTER ROLE ALL SET a TO 'b';"]}),
            "json_agg(datname": json.dumps([] if MARK in sql else list(self.databases)),
            "pg_size_pretty": ", ".join(name for name in self.databases if f"'{name}'" in sql),
            "pg_subscription": json.dumps([(name, name) for name in self.subscriptions]),
        }
        return Executed(0, next((answer for part, answer in answers.items() if part in sql), "").encode())

    def _script(self, sql: str) -> Executed:
        self.scripts.append(sql)
        if self.refusing and self.refusing in sql:
            return Executed(3, b"", f"psql:<stdin>:1: ERROR:  {self.refusing} is refused\nDETAIL:  no locale")
        for name in re.findall(r"CREATE DATABASE (\w+)", sql):
            self.databases[name] = max(self.databases.values(), default=0) + 1
        for role, member in re.findall(r"GRANT (\w+) TO (\w+);", sql):
            self.removals.insert(0, f"REVOKE {role} FROM {member} GRANTED BY root;")
        self.removals += [f"DROP ROLE {role};" for role in re.findall(r"CREATE ROLE (\w+);", sql)]
        for name in re.findall(r'DROP DATABASE IF EXISTS "(\w+)"', sql):
            self.databases.pop(name, None)
        for name, to in re.findall(r'ALTER DATABASE "(\w+)" RENAME TO "(\w+)"', sql):
            self.databases[to] = self.databases.pop(name)
        return Executed(0)


def _loaded(server: Server) -> DatabaseCopier:
    copier = DatabaseCopier(server, "store", METHOD)
    properties = {"databases": {"arc": {**DEFAULT, "statements": ["ALTER DATABASE arc OWNER TO arc;"]}}, "server": []}
    copier.load(Kind.PROPERTIES, "", io.BytesIO(json.dumps(properties).encode()))
    copier.load(Kind.DATABASE, "arc", io.BytesIO(b"a dump"))
    return copier


def _server(**more: Any) -> Server:
    return Server(TOY, databases={"arc": 1, "arcctl_old_0": 2, "arcctl_new_0": 3}, **more)


def _save(server: Server, name: str = "arc") -> None:
    DatabaseCopier(server, "store", METHOD).save(Kind.DATABASE, name, io.BytesIO())


def test_a_restored_database_takes_the_place_of_the_old_one_and_of_no_other() -> None:
    server = _server()
    copier = _loaded(server)
    copier.swap()
    assert server.databases == {"arc": 4, "arcctl_old_0": 2, "arcctl_new_0": 3, "arcctl_old_1": 1}
    copier.commit()
    assert server.databases == {"arc": 4, "arcctl_old_0": 2, "arcctl_new_0": 3}


def test_an_undone_swap_leaves_what_was_there() -> None:
    server = _server()
    before = dict(server.databases)
    copier = _loaded(server)
    copier.swap()
    copier.undo()
    assert server.databases == before


def test_a_refused_swap_leaves_what_was_there() -> None:
    server = _server(refusing="OWNER TO arc")
    before = dict(server.databases)
    copier = _loaded(server)
    with pytest.raises(BackupError, match="OWNER TO arc is refused"):
        copier.swap()
    copier.undo()
    assert server.databases == before


def test_an_old_copy_that_cannot_be_dropped_is_named_with_whose_data_it_has() -> None:
    server = _server()
    copier = _loaded(server)
    copier.swap()
    server.refusing = 'DROP DATABASE IF EXISTS "arcctl_old_1"'
    with pytest.raises(BackupError, match=r"^arcctl_old_1 has the data that arc had, and is not dropped: ") as raised:
        copier.commit()
    assert raised.value.hint == "arcctl db list, then arcctl db drop arcctl_old_1"
    assert server.databases["arc"] == 4


def test_a_server_without_the_default_locale_of_another_uses_its_own_and_says_so() -> None:
    server = _server(refusing="LC_COLLATE 'en_US.utf8'")
    copier = _loaded(server)
    assert "CREATE DATABASE arcctl_new_1 TEMPLATE template0 ENCODING 'UTF8';" in server.scripts[-1]
    assert copier.remarks() == (
        "arc is in the default tablespace: this server has no fast",
        "arc has the locale of this server, which does not know the one it had: LC_COLLATE 'en_US.utf8'",
    )


def test_what_an_interrupted_drop_left_is_not_taken() -> None:
    with pytest.raises(NotTaken) as raised:
        _save(_server(), "half")
    assert raised.value.hint == "arcctl db drop half"


def test_a_dump_that_waits_for_a_lock_is_not_taken_and_names_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "POLL_SECONDS", 0.01)
    with pytest.raises(
        NotTaken, match=r"pg_dump of store: waited 20 s for a lock that is held by psql \(pid 7\)"
    ) as raised:
        _save(_server(locked="pg_dump", dump=CANCELED))
    assert "arcctl shell store --as root" in raised.value.hint


def test_a_dump_whose_lock_was_free_when_its_holder_was_named_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "POLL_SECONDS", 0.01)
    server = _server(locked="pg_dump")
    _save(server)
    assert server.looked


def test_a_database_that_cannot_be_dumped_is_not_taken() -> None:
    with pytest.raises(NotTaken, match="pg_dump of store: pg_dump: error: invalid page"):
        _save(_server(dump=BROKEN))


@pytest.mark.parametrize(("started", "message"), [(0, "connection refused"), (2, "invalid page")])
def test_a_server_that_ends_in_a_dump_ends_the_backup(started: int, message: str) -> None:
    with pytest.raises(BackupError, match=message) as raised:
        _save(_server(dump=BROKEN, started_after_dump=started))
    assert not isinstance(raised.value, NotTaken)


@pytest.mark.parametrize(("tablespaces", "remarks"), [((), ()), (("fast", "slow"), (f"{TABLESPACES}: fast, slow",))])
def test_tablespaces_are_named_that_are_not_in_a_backup(tablespaces: tuple[str, ...], remarks: tuple[str, ...]) -> None:
    copier = DatabaseCopier(_server(tablespaces=tablespaces), "store", METHOD)
    copier.save(Kind.PROPERTIES, "", io.BytesIO())
    assert copier.remarks() == remarks


def test_only_what_a_backup_replaces_is_counted() -> None:
    server, stopped = _server(), _server(started=0)
    assert DatabaseCopier(server, "store", METHOD).present(["arc", "gone"]) == "arc"
    assert DatabaseCopier(stopped, "store", METHOD).present(["arc"]) == ""


def test_a_subscription_that_is_restored_is_named_with_what_lets_it_go_on() -> None:
    copier = _loaded(_server(subscriptions=("sub2", 'a"b')))
    assert copier.remarks()[1:] == (
        'arc: its subscription sub2 is disabled; to go on: ALTER SUBSCRIPTION "sub2" ENABLE',
        """arc: its subscription a"b is disabled; to go on: ALTER SUBSCRIPTION "a""b" ENABLE""",
    )


def test_an_undone_restore_takes_away_the_roles_memberships_and_settings_that_came_with_it() -> None:
    server = _server()
    copier = DatabaseCopier(server, "store", METHOD)
    copier.load(Kind.ROLES, "", io.BytesIO(b"CREATE ROLE clerk;\nGRANT clerk TO root;\n"))
    copier.load(Kind.PROPERTIES, "", io.BytesIO(b'{"databases": {}, "server": []}'))
    copier.undo()
    assert server.scripts[-1].splitlines() == [
        "REVOKE clerk FROM root GRANTED BY root;",
        "DROP ROLE clerk;",
        "ALTER ROLE ALL RESET ALL;",
        "ALTER ROLE ALL SET a TO 'b';",
    ]
