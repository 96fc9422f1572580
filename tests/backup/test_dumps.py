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
USUAL = {"encoding": "ENCODING 'UTF8'", "locale": "LC_COLLATE 'en_US.utf8'", "usual": True, "tablespace": "fast"}
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
    scripts: list[str] = field(default_factory=list)

    def execute(self, key: str, words: tuple[str, ...], *, stdin: BinaryIO | None = None, **more: Any) -> Executed:
        if self.locked == words[0]:
            while not self.looked:
                time.sleep(0.001)
            return Executed(1, b"", f"{words[0]}: error: canceling statement due to user request")
        if words[0] != "psql":
            return Executed(0)
        return self._query(words[-1]) if stdin is None else self._script(stdin.read().decode())

    def _query(self, sql: str) -> Executed:
        if "pg_blocking_pids" in sql:
            self.looked = True
            return Executed(0, json.dumps(HELD).encode())
        name = (re.findall(r"datname = '([^']*)'", sql) or [""])[0]
        if sql.startswith("SELECT oid"):
            return Executed(0, str(self.databases.get(name, "")).encode())
        if "json_build_object('invalid'" in sql:
            return Executed(0, json.dumps({"invalid": name == "half", "open": True}).encode())
        if "json_agg(datname" in sql:
            names = [] if MARK in sql else list(self.databases)
            return Executed(0, json.dumps(names).encode())
        return Executed(0, b"[]" if "pg_subscription" in sql else b"")

    def _script(self, sql: str) -> Executed:
        self.scripts.append(sql)
        if self.refusing and self.refusing in sql:
            return Executed(3, b"", f"psql:<stdin>:1: ERROR:  {self.refusing} is refused\nDETAIL:  no locale")
        for name in re.findall(r"CREATE DATABASE (\w+)", sql):
            self.databases[name] = max(self.databases.values(), default=0) + 1
        for name in re.findall(r'DROP DATABASE IF EXISTS "(\w+)"', sql):
            self.databases.pop(name, None)
        for name, to in re.findall(r'ALTER DATABASE "(\w+)" RENAME TO "(\w+)"', sql):
            self.databases[to] = self.databases.pop(name)
        return Executed(0)


def _loaded(server: Server) -> DatabaseCopier:
    copier = DatabaseCopier(server, "store", METHOD)
    properties = {"databases": {"arc": {**USUAL, "statements": ["ALTER DATABASE arc OWNER TO arc;"]}}, "server": []}
    copier.load(Kind.PROPERTIES, "", io.BytesIO(json.dumps(properties).encode()))
    copier.load(Kind.DATABASE, "arc", io.BytesIO(b"a dump"))
    return copier


def _server(**more: Any) -> Server:
    return Server(TOY, databases={"arc": 1, "arcctl_old_0": 2, "arcctl_new_0": 3}, **more)


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


def test_a_server_without_the_usual_locale_of_another_uses_its_own_and_says_so() -> None:
    server = _server(refusing="LC_COLLATE 'en_US.utf8'")
    copier = _loaded(server)
    assert "CREATE DATABASE arcctl_new_1 TEMPLATE template0 ENCODING 'UTF8';" in server.scripts[-1]
    assert copier.remarks() == (
        "arc is in the default tablespace: this server has no fast",
        "arc has the locale of this server, which does not know the one it had: LC_COLLATE 'en_US.utf8'",
    )


def test_what_an_interrupted_drop_left_is_not_taken() -> None:
    with pytest.raises(NotTaken) as raised:
        DatabaseCopier(_server(), "store", METHOD).save(Kind.DATABASE, "half", io.BytesIO())
    assert raised.value.hint == "arcctl db drop half"


def test_a_dump_that_waits_for_a_lock_is_not_taken_and_names_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "POLL_SECONDS", 0.01)
    with pytest.raises(
        NotTaken, match=r"pg_dump of store: waited 20 s for a lock that is held by psql \(pid 7\)"
    ) as raised:
        DatabaseCopier(_server(locked="pg_dump"), "store", METHOD).save(Kind.DATABASE, "arc", io.BytesIO())
    assert "arcctl shell store --as root" in raised.value.hint
