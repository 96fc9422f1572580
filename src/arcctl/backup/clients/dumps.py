"""Databases of a Postgres server as dumps, made by the programs in its container.

Each database is dumped as of one moment while it serves. It is restored under another name, and all of them are renamed
in one transaction.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import tempfile
import threading
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

from arcctl.backup.base import NotTaken
from arcctl.backup.clients import database_properties as properties
from arcctl.backup.manifest import Kind
from arcctl.checks import locks_report
from arcctl.checks.clients.postgres import LOCKS
from arcctl.checks.locks_report import POLL_SECONDS, Holder, explained, read_holders
from arcctl.engines import disks
from arcctl.engines.base import Engine, Executed
from arcctl.errors import ArcError, BackupError
from arcctl.model.backup_method import Dump
from arcctl.model.data_store import LOCK_SECONDS

NEW, OLD = "arcctl_new_", "arcctl_old_"
MARK = "made by arcctl for a moment; may be dropped"
"""The comment of a database that holds nothing of its own: a dump that is being restored, or a copy to be dumped."""
TRIES = 10
"""A client that reconnects at once may be faster than a rename."""
_CANCELED = "canceling statement due to user request"
"""What a server says of a statement that was waiting for a lock when its holder was asked for."""
_SHOWN = 3
"""Lines of a program's error that a message shows."""

_ALL = "pg_database WHERE datname <> 'template0'"
_MARKED = f"starts_with(datname, '{NEW}') AND shobj_description(oid, 'pg_database') = '{MARK}'"
_LIST = f"SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM {_ALL}"
_SIZE = """\
SELECT count(*) || ' databases, ' || pg_size_pretty(coalesce(sum(pg_database_size(oid)), 0))
  FROM pg_database WHERE datname = ANY (ARRAY[{}]::text[])
"""
_TABLESPACES = "SELECT coalesce(json_agg(spcname ORDER BY spcname), '[]') FROM pg_tablespace WHERE spcname !~ '^pg_'"
_STATE = """\
SELECT json_build_object('started', pg_postmaster_start_time(), 'invalid', coalesce(datconnlimit = -2, false),
                         'open', coalesce(datallowconn, true),
                         'subscribed', EXISTS (SELECT FROM pg_subscription WHERE subdbid = d.oid))
  FROM (SELECT) AS one LEFT JOIN pg_database d ON datname = {}
"""
"""Of a database that is gone too, as one that can be dumped: its dump says what is wrong."""
_SUBSCRIPTIONS = """\
SELECT coalesce(json_agg(json_build_array(subname, subslotname)), '[]')
  FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = {}
"""
_REMOVALS = """\
SELECT format('DROP ROLE %I;', rolname) FROM pg_roles
UNION ALL
SELECT format('REVOKE %s FROM %s GRANTED BY %s;', roleid::regrole, member::regrole, grantor::regrole)
  FROM pg_auth_members ORDER BY 1 DESC
"""
"""What takes away each role and membership; memberships first."""
_ROLE = re.compile(r'(?:CREATE|ALTER) ROLE ("(?:[^"]|"")+"|[^\s;]+)( WITH .*)?;')
_PASSWORD = re.compile(r" PASSWORD '(?:[^']|'')*'")


class DatabaseCopier:
    """Carries out `Dump` for one server."""

    def __init__(self, engine: Engine, key: str, method: Dump) -> None:
        self._engine, self._key, self._method = engine, key, method
        self._application = f"arcctl-{secrets.token_hex(4)}"
        self._new: dict[str, str] = {}
        """Each restored database by the name that it has until the swap."""
        self._ids: dict[str, int] = {}
        """The number that the server gave each of them, by the same name; a rename keeps it."""
        self._old: dict[str, str] = {}
        """The name that a replaced database has after the swap, by its own."""
        self._former_roles = ""
        self._former_settings: tuple[str, ...] = ()
        """Statements that put back the settings of all roles."""
        self._removals: tuple[str, ...] = ()
        """Statements that take away the roles and memberships that came with the backup."""
        self._properties = properties.Properties()
        self._remarks: list[str] = []

    def contents(self) -> tuple[tuple[Kind, str], ...]:
        marked = set(self._names(f"{_LIST} AND {_MARKED}"))
        names = (name for name in self._names(_LIST) if name not in marked)
        return ((Kind.ROLES, ""), (Kind.PROPERTIES, ""), *((Kind.DATABASE, name) for name in names))

    def save(self, kind: Kind, name: str, target: BinaryIO) -> None:
        match kind:
            case Kind.ROLES:
                self._drop_marked()
                self._run(self._dump_roles(), stdout=target)
            case Kind.PROPERTIES:
                self._run((*self._psql(), "--command", properties.QUERY), stdout=target)
                if names := ", ".join(self._names(_TABLESPACES)):
                    text = "the content of these tablespaces is in the backup, they themselves are not"
                    self._remarks.append(f"{text}: {names}")
            case _:
                self._save_database(name, target)

    def _dump_roles(self) -> tuple[str, ...]:
        return ("pg_dumpall", "--globals-only", "--no-tablespaces", "--dbname", self._url())

    def _save_database(self, name: str, target: BinaryIO) -> None:
        """Raises NotTaken where this one cannot be dumped by a server that goes on."""
        state = self._state(name)
        if state["invalid"]:
            raise NotTaken(
                "a DROP DATABASE of it was interrupted; it can only be dropped", hint=f"arcctl db drop {name}"
            )
        try:
            if state["open"]:
                self._dump(name, target)
            elif state["subscribed"]:
                raise BackupError("it allows no connections, and a copy of it has not its subscriptions")
            else:
                self._dump_copy(name, target)
        except BackupError as error:
            if self._state(name)["started"] != state["started"]:
                raise
            raise NotTaken(error.message, hint=error.hint) from None

    def _state(self, name: str) -> dict[str, Any]:
        """Raises BackupError where no server answers."""
        return dict(json.loads(self._rows(_STATE.format(_text(name)))[0]))

    def _dump(self, name: str, target: BinaryIO) -> None:
        self._run(("pg_dump", "--format=custom", "--compress=0", "--dbname", self._url(name)), stdout=target)

    def _dump_copy(self, name: str, target: BinaryIO) -> None:
        """Of a database that allows no connections, which is not changed."""
        copy = self._create(f"TEMPLATE {_name(name)}")
        try:
            self._dump(copy, target)
        finally:
            self._try_to_drop(copy)

    def _create(self, words: str) -> str:
        """A database with a name that was free, and a mark."""
        taken = {*self._names(_LIST), *self._properties.databases}
        name = next(name for number in range(len(taken) + 1) if (name := f"{NEW}{number}") not in taken)
        self._sql(f"CREATE DATABASE {name} {words};\nCOMMENT ON DATABASE {name} IS {_text(MARK)};")
        return name

    def load(self, kind: Kind, name: str, source: BinaryIO) -> None:
        match kind:
            case Kind.ROLES:
                self._drop_marked()
                self._former_roles = self._run(self._dump_roles()).stdout.decode()
                self._removals = self._add_roles(source.read().decode())
            case Kind.PROPERTIES:
                former = self._run((*self._psql(), "--command", properties.QUERY)).stdout.decode()
                self._former_settings = ("ALTER ROLE ALL RESET ALL;", *properties.read(former).server)
                self._properties = properties.read(source.read().decode())
            case _:
                new = self._create_like(name)
                self._new[new] = name
                self._ids[new] = self._id(new)
                words = ("pg_restore", "--exit-on-error", "--no-tablespaces", "--dbname", self._url(new))
                self._run(words, stdin=source)
                self._remarks += [
                    f"{name}: its subscription {of} is disabled; to go on: ALTER SUBSCRIPTION {_name(of)} ENABLE"
                    for of, _ in self._subscriptions(new)
                ]

    def _create_like(self, name: str) -> str:
        """With the encoding, the locale and the tablespace that it had.

        What this server does not have of the server's own locale or of tablespaces is replaced by its own.
        """
        like = self._properties.of(name)
        words = f"TEMPLATE template0 {like.encoding}"
        if like.tablespace and self._rows(f"SELECT 1 FROM pg_tablespace WHERE spcname = {_text(like.tablespace)}"):
            words += f" TABLESPACE {_name(like.tablespace)}"
        elif like.tablespace:
            self._remarks.append(f"{name} is in the default tablespace: this server has no {like.tablespace}")
        try:
            return self._create(f"{words} {like.locale}")
        except BackupError as error:
            if not like.locale_is_server_default or "locale" not in error.message.lower():
                raise
        self._remarks.append(f"{name} has the locale of this server, which does not know the one it had: {like.locale}")
        return self._create(words)

    def _id(self, name: str) -> int:
        """0 where there is no such database."""
        return int("".join(self._rows(f"SELECT oid FROM pg_database WHERE datname = {_text(name)}")) or 0)

    def _add_roles(self, dump: str) -> tuple[str, ...]:
        """The statements that take away the roles and memberships that did not exist."""
        before, existing = self._rows(_REMOVALS), set(self._rows("SELECT quote_ident(rolname) FROM pg_roles"))
        lines = (line for line in dump.splitlines() if not line.startswith("\\"))
        self._sql("\n".join(_without_password(line, existing) for line in lines), strict=False)
        return tuple(statement for statement in self._rows(_REMOVALS) if statement not in before)

    def swap(self) -> None:
        """All renames in one transaction, while nobody is connected to any of them."""
        existing = set(self._names(_LIST))
        free = (name for number in range(1000) if (name := f"{OLD}{number}") not in {*existing, *self._new.values()})
        self._old = {name: next(free) for name in self._new.values() if name in existing}
        renames = [_rename(name, old) for name, old in self._old.items()]
        for new, name in self._new.items():
            renames += [_rename(new, name), f"COMMENT ON DATABASE {_name(name)} IS NULL;"]
        statements = [s for name in self._new.values() for s in self._properties.of(name).statements]
        self._rename_all([*renames, *statements, *self._properties.server])
        if not self._swapped():
            raise BackupError("the server does not have the restored databases", hint=f"arcctl logs {self._key}")

    def _swapped(self) -> bool:
        """Asked of the server: a connection may have ended after the renames and before their answer."""
        return bool(self._new) and all(self._id(name) == self._ids[new] for new, name in self._new.items())

    def undo(self) -> None:
        """Also after the swap."""
        if self._swapped():
            back = [_rename(name, new) for new, name in self._new.items()]
            back += [f"COMMENT ON DATABASE {new} IS {_text(MARK)};" for new in self._new]
            self._rename_all([*back, *(_rename(old, name) for name, old in self._old.items())])
        for new in self._new:
            self._try_to_drop(new)
        with contextlib.suppress(ArcError):  # the data is back, which is what counts
            self._add_roles(self._former_roles)
            self._sql("\n".join((*self._removals, *self._former_settings)), strict=False)

    def commit(self) -> None:
        """What cannot be dropped stays under its name, and is an error that says so."""
        kept: dict[str, str] = {}
        for name, old in self._old.items():
            try:
                self._forget_subscriptions(name, old)
                self._drop(old)
            except ArcError as error:
                kept[old] = f"{old} has the data that {name} had, and is not dropped: {error.message}"
        if kept:
            raise BackupError("; ".join(kept.values()), hint=f"arcctl db list, then arcctl db drop {next(iter(kept))}")

    def _forget_subscriptions(self, name: str, old: str) -> None:
        """Without their slots at the publisher, which the restored ones go on with; no database with one is dropped."""
        now = {slot for _, slot in self._subscriptions(name)}
        for subscription, slot in self._subscriptions(old):
            of = _name(subscription)
            steps = ("DISABLE", "SET (slot_name = NONE)")
            script = "".join(f"ALTER SUBSCRIPTION {of} {step};\n" for step in steps) + f"DROP SUBSCRIPTION {of};"
            self._sql(script, database=old)
            if slot and slot not in now:
                text = f"{name} had the subscription {subscription}, whose slot {slot} is still at its publisher"
                self._remarks.append(text)

    def _subscriptions(self, database: str) -> list[tuple[str, str | None]]:
        """With their slots."""
        return [(name, slot) for name, slot in json.loads(self._rows(_SUBSCRIPTIONS.format(_text(database)))[0])]

    def remarks(self) -> tuple[str, ...]:
        return tuple(self._remarks)

    def present(self, names: Collection[str]) -> str:
        """Empty where no server answers."""
        try:
            return "".join(self._rows(_SIZE.format(", ".join(map(_text, names)))))
        except BackupError:
            return ""

    def set_password(self, password: str) -> None:
        self._sql(f"ALTER ROLE {_name(self._method.user)} PASSWORD {_text(password)}")

    def _drop_marked(self) -> None:
        """What an interrupted command left that holds nothing of its own."""
        for name in self._names(f"{_LIST} AND {_MARKED}"):
            self._try_to_drop(name)

    def _try_to_drop(self, name: str) -> None:
        """One with a mark: the next command drops it."""
        with contextlib.suppress(ArcError):
            self._drop(name)

    def _drop(self, name: str) -> None:
        template = self._rows(f"SELECT 1 FROM pg_database WHERE datname = {_text(name)} AND datistemplate")
        first = f"ALTER DATABASE {_name(name)} IS_TEMPLATE false;\n" if template else ""
        self._sql(f"{first}DROP DATABASE IF EXISTS {_name(name)} WITH (FORCE);")

    def _rename_all(self, statements: list[str]) -> None:
        """From a database that nothing renames."""
        names = ", ".join(map(_text, (*self._new, *self._new.values(), *self._old.values())))
        disconnect = (
            f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname IN ({names}) AND pid <> pg_backend_pid();"
        )
        place = self._create("TEMPLATE template0")
        try:
            for left in reversed(range(TRIES)):
                try:
                    self._sql("\n".join([disconnect, *statements]), "--single-transaction", database=place)
                    return
                except BackupError as error:
                    if not left or "being accessed" not in error.message:
                        raise
        finally:
            self._try_to_drop(place)

    def _names(self, query: str) -> list[str]:
        """Of a list in JSON: a name may have any character."""
        return list(json.loads(self._rows(query)[0]))

    def _rows(self, query: str) -> list[str]:
        return self._run((*self._psql(), "--command", query)).stdout.decode().splitlines()

    def _sql(self, sql: str, *options: str, strict: bool = True, database: str = "") -> None:
        """Through an unnamed file, because a password may be in it."""
        with tempfile.TemporaryFile() as script:
            script.write(sql.encode())
            script.seek(0)
            stop = ("--set", "ON_ERROR_STOP=1") if strict else ()
            self._run((*self._psql(database), *stop, *options, "--file", "-"), stdin=script)

    def _run(
        self, words: tuple[str, ...], *, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None
    ) -> Executed:
        with self._watched() as holders:
            done = self._execute(words, self._application, stdin=stdin, stdout=stdout)
        if holders and _CANCELED in done.stderr:
            hint = locks_report.hint(self._key, self._method.user, holders)
            raise BackupError(f"{words[0]} of {self._key}: {explained(holders)}", hint=hint)
        if done.code:
            lines = done.stderr.splitlines() or [f"exit code {done.code}"]
            reason = _reason(lines)
            raise BackupError(
                f"{words[0]} of {self._key}: {reason}", hint=disks.hint(reason, f"arcctl logs {self._key}")
            )
        return done

    def _execute(
        self, words: tuple[str, ...], application: str, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None
    ) -> Executed:
        environment = {"PGPASSWORD": self._method.password, "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": application}
        return self._engine.execute(self._key, words, environment=environment, stdin=stdin, stdout=stdout)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[list[Holder]]:
        """Who held the lock that a program waited for, which is cancelled then. A dump takes off every other limit."""
        holders: list[Holder] = []
        ended = threading.Event()

        def watch() -> None:
            while not holders and not ended.wait(POLL_SECONDS):
                with contextlib.suppress(ArcError):
                    holders.extend(self._holders())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield holders
        finally:
            ended.set()
            watcher.join()

    def _holders(self) -> tuple[Holder, ...]:
        """Nothing where no server answers."""
        values = {"pid": "0", "who": _text(self._application), "ids": "'{}'", "cancel": "true"}
        query = LOCKS % {**values, "seconds": LOCK_SECONDS}
        done = self._execute((*self._psql(), "--command", query), "arcctl")
        return () if done.code else read_holders(done.stdout.decode())

    def _psql(self, database: str = "") -> tuple[str, ...]:
        return ("psql", "-XqAt", "--dbname", self._url(database))

    def _url(self, database: str = "") -> str:
        """Of the superuser's own database where none is named."""
        path = quote(database or self._method.user, safe="")
        return f"postgresql://{self._method.user}@127.0.0.1:{self._method.port}/{path}"


def _reason(lines: list[str]) -> str:
    """The first error of a program, with what the server says of it in the next lines."""
    first = next((number for number, line in enumerate(lines) if "error:" in line.lower()), len(lines) - 1)
    more = [line.strip() for line in lines[first + 1 :] if re.match(r"\s*(\w+: )*DETAIL: ", line)]
    return "; ".join((lines[first], *more[:_SHOWN]))


def _without_password(line: str, roles: set[str]) -> str:
    """A line of a dump of roles: existing ones are only altered, and keep the passwords that their programs have."""
    found = _ROLE.fullmatch(line)
    if not found or found[1] not in roles:
        return line
    return f"ALTER ROLE {found[1]}{_PASSWORD.sub('', found[2])};" if found[2] else ""


def _rename(name: str, to: str) -> str:
    return f"ALTER DATABASE {_name(name)} RENAME TO {_name(to)};"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
