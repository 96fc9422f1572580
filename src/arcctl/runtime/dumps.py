"""Databases of a Postgres server as dumps, with the programs that the server brings.

Each database is dumped as of one moment while it serves. It is restored under another name, and all of them change
their names in one transaction.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import quote

from arcctl.core.backup import Dump, Kind
from arcctl.core.ports import Engine, Executed
from arcctl.errors import BackupError

NEW, OLD = "arcctl_new_", "arcctl_old_"
MAINTENANCE = "template1"
"""Where one may stand while all others change their names."""
TRIES = 10
"""A program that connects again at once may be faster than a change of names."""

_LIST = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
_LEFT = rf"SELECT datname FROM pg_database WHERE datname ~ '^({NEW}|{OLD})'"
_SIZE = """\
SELECT count(*) || ' databases, ' || pg_size_pretty(sum(pg_database_size(oid))) FROM pg_database WHERE NOT datistemplate
"""
_LISTS = "'search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries'"
_PROPERTIES = f"""\
SELECT format('ALTER DATABASE %I OWNER TO %I;', datname, pg_get_userbyid(datdba))
  FROM pg_database WHERE datallowconn AND NOT datistemplate
UNION ALL
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC;', datname)
  FROM pg_database WHERE datallowconn AND NOT datistemplate AND datacl IS NOT NULL
UNION ALL
SELECT format('GRANT %s ON DATABASE %I TO %s;', privilege_type, datname,
              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
  FROM pg_database, aclexplode(datacl) WHERE datallowconn AND NOT datistemplate
UNION ALL
SELECT format('ALTER DATABASE %I SET %I TO %s;', datname, name,
              CASE WHEN name IN ({_LISTS}) THEN value ELSE quote_literal(value) END)
  FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase, unnest(setconfig) AS setting,
       LATERAL (SELECT split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value) AS s
 WHERE setrole = 0 AND datallowconn AND NOT datistemplate
"""
_ROLE = re.compile(r'(?:CREATE ROLE|ALTER ROLE) ("(?:[^"]|"")+"|[^\s;]+)(?: WITH .*)?;')


@dataclass
class _Laid:
    """What waits for its change of names."""

    names: dict[str, str] = field(default_factory=dict)
    """The database by the name that it has until then."""
    properties: str = ""
    old: dict[str, str] = field(default_factory=dict)
    """After the change: the name that the former database has now, by its own."""
    renamed: bool = False


class Dumps:
    """Carries out `Dump`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._laid: dict[str, _Laid] = {}

    def contents(self, key: str, method: Dump) -> tuple[tuple[Kind, str], ...]:
        left = set(self._rows(key, method, _LEFT))
        names = (name for name in self._rows(key, method, _LIST) if name not in left)
        return ((Kind.ROLES, ""), (Kind.PROPERTIES, ""), *((Kind.DATABASE, name) for name in names))

    def save(self, key: str, method: Dump, kind: Kind, name: str, target: BinaryIO) -> None:
        words: tuple[str, ...]
        match kind:
            case Kind.ROLES:
                words = ("pg_dumpall", "--globals-only", "--no-tablespaces", "--dbname", _url(method))
            case Kind.PROPERTIES:
                words = (*_psql(method), "--command", _PROPERTIES)
            case _:
                words = ("pg_dump", "--format=custom", "--compress=0", "--dbname", _url(method, name))
        self._run(key, method, words, stdout=target)

    def load(self, key: str, method: Dump, kind: Kind, name: str, source: BinaryIO) -> None:
        match kind:
            case Kind.ROLES:
                self._sweep(key, method)
                self._laid[key] = _Laid()
                self._add_roles(key, method, source.read().decode())
            case Kind.PROPERTIES:
                self._laid[key].properties = source.read().decode()
            case _:
                laid = self._laid[key].names
                new = f"{NEW}{len(laid)}"
                laid[new] = name
                self._sql(key, method, f"CREATE DATABASE {new} TEMPLATE template0")
                words = ("pg_restore", "--exit-on-error", "--no-tablespaces", "--dbname", _url(method, new))
                self._run(key, method, words, stdin=source)

    def _add_roles(self, key: str, method: Dump, dump: str) -> None:
        """Roles that are there keep the passwords that their programs have."""
        there = set(self._rows(key, method, "SELECT quote_ident(rolname) FROM pg_roles"))
        lines = [line for line in dump.splitlines() if not (line.startswith("\\") or _concerns(line, there))]
        self._sql(key, method, "\n".join(lines), strict=False)

    def swap(self, key: str, method: Dump) -> None:
        """All names in one transaction, while nobody is in any of them."""
        laid, there = self._laid[key], set(self._rows(key, method, _LIST))
        laid.old = {name: f"{OLD}{number}" for number, name in enumerate(laid.names.values()) if name in there}
        renames = [_rename(name, old) for name, old in laid.old.items()]
        renames += [_rename(new, name) for new, name in laid.names.items()]
        self._rename(key, method, laid, "\n".join([*renames, laid.properties]))
        laid.renamed = True

    def undo(self, key: str, method: Dump) -> None:
        """Also after a change of names."""
        laid = self._laid.get(key)
        if laid and laid.renamed:
            back = [_rename(name, new) for new, name in laid.names.items()]
            back += [_rename(old, name) for name, old in laid.old.items()]
            self._rename(key, method, laid, "\n".join(back))
        self._sweep(key, method)

    def settle(self, key: str, method: Dump) -> None:
        self._sweep(key, method)

    def present(self, key: str, method: Dump) -> str:
        """Empty where no server answers."""
        try:
            return "".join(self._rows(key, method, _SIZE))
        except BackupError:
            return ""

    def hand_over(self, key: str, method: Dump, password: str) -> None:
        self._sql(key, method, f"ALTER ROLE {_name(method.user)} PASSWORD {_text(password)}")

    def _sweep(self, key: str, method: Dump) -> None:
        """What waits, and what was replaced, goes."""
        for name in self._rows(key, method, _LEFT):
            self._sql(key, method, f"DROP DATABASE {_name(name)} WITH (FORCE)")

    def _rename(self, key: str, method: Dump, laid: _Laid, sql: str) -> None:
        names = ", ".join(map(_text, (*laid.names, *laid.names.values(), *laid.old.values())))
        leave = (
            f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname IN ({names}) AND pid <> pg_backend_pid();"
        )
        for left in reversed(range(TRIES)):
            try:
                self._sql(key, method, f"{leave}\n{sql}", "--single-transaction")
                return
            except BackupError as error:
                if not left or "being accessed" not in error.message:
                    raise

    def _rows(self, key: str, method: Dump, query: str) -> list[str]:
        return self._run(key, method, (*_psql(method), "--command", query)).stdout.decode().splitlines()

    def _sql(self, key: str, method: Dump, sql: str, *options: str, strict: bool = True) -> None:
        """Through a file that has no name, because a password may be in it."""
        with tempfile.TemporaryFile() as script:
            script.write(sql.encode())
            script.seek(0)
            stop = ("--set", "ON_ERROR_STOP=1") if strict else ()
            self._run(key, method, (*_psql(method), *stop, *options, "--file", "-"), stdin=script)

    def _run(
        self,
        key: str,
        method: Dump,
        words: tuple[str, ...],
        *,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
    ) -> Executed:
        environment = {"PGPASSWORD": method.password, "PGCONNECT_TIMEOUT": "10"}
        done = self._engine.execute(key, words, environment=environment, stdin=stdin, stdout=stdout)
        if done.code:
            lines = done.stderr.splitlines() or [f"exit code {done.code}"]
            reason = next((line for line in lines if "error:" in line.lower()), lines[-1])
            raise BackupError(f"{words[0]} of {key}: {reason}", hint=f"arcctl logs {key}")
        return done


def _concerns(line: str, roles: set[str]) -> bool:
    found = _ROLE.fullmatch(line)
    return bool(found and found[1] in roles)


def _psql(method: Dump) -> tuple[str, ...]:
    return ("psql", "-XqAt", "--dbname", _url(method))


def _url(method: Dump, database: str = MAINTENANCE) -> str:
    return f"postgresql://{method.user}@127.0.0.1:{method.port}/{quote(database, safe='')}"


def _rename(name: str, to: str) -> str:
    return f"ALTER DATABASE {_name(name)} RENAME TO {_name(to)};"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
