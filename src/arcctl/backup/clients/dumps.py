"""Databases of a Postgres server as dumps, made by the programs in its container.

Each database is dumped as of one moment while it serves. It is restored under another name, and all of them are renamed
in one transaction.
"""

from __future__ import annotations

import json
import re
import tempfile
from typing import BinaryIO
from urllib.parse import quote

from arcctl.backup.manifest import Kind
from arcctl.engines import disks
from arcctl.engines.base import Engine, Executed
from arcctl.errors import BackupError
from arcctl.model.backup_method import Dump

NEW, OLD = "arcctl_new_", "arcctl_old_"
MAINTENANCE = "template1"
"""The database to be connected to while all others are renamed."""
TRIES = 10
"""A client that reconnects at once may be faster than a rename."""

_DATABASES = "pg_database WHERE datallowconn AND datconnlimit <> -2 AND datname NOT IN ('template0', 'template1')"
"""The last condition but one leaves out what an interrupted DROP DATABASE left, which nobody can connect to."""
_LIST = f"SELECT datname FROM {_DATABASES} ORDER BY datname"
_LEFT = rf"SELECT datname FROM pg_database WHERE datname ~ '^({NEW}|{OLD})'"
_SIZE = """\
SELECT count(*) || ' databases, ' || pg_size_pretty(sum(pg_database_size(oid))) FROM pg_database WHERE NOT datistemplate
"""
_LISTS = "'search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries'"
_OPTIONS = f"""\
WITH d AS (
  SELECT *, coalesce(to_jsonb(pg_database)->>'datlocale', to_jsonb(pg_database)->>'daticulocale') AS locale,
         to_jsonb(pg_database)->>'daticurules' AS rules FROM pg_database
)
SELECT '-- ' || coalesce(json_object_agg(d.datname, concat(
         format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(d.encoding), d.datcollate, d.datctype),
         CASE d.datlocprovider WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', d.locale)
                               WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', d.locale)
                               ELSE ' LOCALE_PROVIDER libc' END,
         ' ICU_RULES ' || quote_literal(d.rules)))::text, '{{}}')
  FROM d JOIN d AS usual ON usual.datname = 'template0'
 WHERE d.oid IN (SELECT oid FROM {_DATABASES})
   AND (d.encoding, d.datcollate, d.datctype, d.datlocprovider, d.locale, d.rules) IS DISTINCT FROM
       (usual.encoding, usual.datcollate, usual.datctype, usual.datlocprovider, usual.locale, usual.rules)
"""
"""One line of JSON: how databases are created whose encoding or locale is not the server's."""
_PROPERTIES = f"""\
WITH d AS (SELECT * FROM {_DATABASES})
SELECT statement FROM (
  SELECT datname, 1 AS step, 1 AS place, format('ALTER DATABASE %I OWNER TO %I;', datname, pg_get_userbyid(datdba))
         AS statement FROM d
  UNION ALL
  SELECT datname, 2, 1, format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I;', datname, pg_get_userbyid(datdba))
    FROM d WHERE datacl IS NOT NULL
  UNION ALL
  SELECT datname, 3, place, format('%sGRANT %s ON DATABASE %I TO %s%s;%s',
                CASE WHEN grantor <> datdba THEN
                     format('SET SESSION AUTHORIZATION %I; ', pg_get_userbyid(grantor)) END,
                privilege_type, datname,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END,
                CASE WHEN grantor <> datdba THEN ' RESET SESSION AUTHORIZATION;' END)
    FROM d, aclexplode(datacl) WITH ORDINALITY
         AS acl(grantor, grantee, privilege_type, is_grantable, place)
  UNION ALL
  SELECT datname, 4, place, format('ALTER %s SET %I TO %s;',
                CASE WHEN setdatabase = 0 THEN 'ROLE ALL' WHEN setrole = 0 THEN format('DATABASE %I', datname)
                     ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), datname) END,
                name, CASE WHEN name IN ({_LISTS}) THEN value ELSE quote_literal(value) END)
    FROM pg_db_role_setting LEFT JOIN d ON d.oid = setdatabase,
         unnest(setconfig) WITH ORDINALITY AS settings(setting, place),
         LATERAL (SELECT split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value) AS s
   WHERE d.oid IS NOT NULL OR (setdatabase = 0 AND setrole = 0)
  UNION ALL
  SELECT datname, 5, 1, format('ALTER DATABASE %I CONNECTION LIMIT %s;', datname, datconnlimit)
    FROM d WHERE datconnlimit <> -1
  UNION ALL
  SELECT datname, 6, 1, format('COMMENT ON DATABASE %I IS %L;', datname, text)
    FROM d, shobj_description(oid, 'pg_database') AS text WHERE text IS NOT NULL
  UNION ALL
  SELECT datname, 7, 1, format('ALTER DATABASE %I IS_TEMPLATE true;', datname) FROM d WHERE datistemplate
) AS statements ORDER BY datname, step, place
"""
"""Rights in the order in which they were granted, because a right may rest on another one."""
_ROLE = re.compile(r'(?:CREATE|ALTER) ROLE ("(?:[^"]|"")+"|[^\s;]+)( WITH .*)?;')
_PASSWORD = re.compile(r" PASSWORD '(?:[^']|'')*'")


class DatabaseCopier:
    """Carries out `Dump` for one server."""

    def __init__(self, engine: Engine, key: str, method: Dump) -> None:
        self._engine, self._key, self._method = engine, key, method
        self._new: dict[str, str] = {}
        """Each restored database by the name that it has until the swap."""
        self._old: dict[str, str] = {}
        """The name that a replaced database has after the swap, by its own."""
        self._properties = ""
        self._options: dict[str, str] = {}
        """How a database is created that is not like the server's others."""
        self._swapped = False

    def contents(self) -> tuple[tuple[Kind, str], ...]:
        left = set(self._rows(_LEFT))
        names = (name for name in self._rows(_LIST) if name not in left)
        return ((Kind.ROLES, ""), (Kind.PROPERTIES, ""), *((Kind.DATABASE, name) for name in names))

    def save(self, kind: Kind, name: str, target: BinaryIO) -> None:
        words: tuple[str, ...]
        match kind:
            case Kind.ROLES:
                words = ("pg_dumpall", "--globals-only", "--no-tablespaces", "--dbname", self._url())
            case Kind.PROPERTIES:
                words = (*self._psql(), "--command", _OPTIONS, "--command", _PROPERTIES)
            case _:
                words = ("pg_dump", "--format=custom", "--compress=0", "--dbname", self._url(name))
        self._run(words, stdout=target)

    def load(self, kind: Kind, name: str, source: BinaryIO) -> None:
        match kind:
            case Kind.ROLES:
                self._drop_left()
                self._add_roles(source.read().decode())
            case Kind.PROPERTIES:
                self._properties = source.read().decode()
                first = self._properties.partition("\n")[0]
                self._options = json.loads(first.removeprefix("-- ")) if first.startswith("-- ") else {}
            case _:
                new = f"{NEW}{len(self._new)}"
                self._new[new] = name
                self._sql(f"CREATE DATABASE {new} TEMPLATE template0 {self._options.get(name, '')}")
                words = ("pg_restore", "--exit-on-error", "--no-tablespaces", "--dbname", self._url(new))
                self._run(words, stdin=source)

    def _add_roles(self, dump: str) -> None:
        existing = set(self._rows("SELECT quote_ident(rolname) FROM pg_roles"))
        lines = (line for line in dump.splitlines() if not line.startswith("\\"))
        self._sql("\n".join(_without_password(line, existing) for line in lines), strict=False)

    def swap(self) -> None:
        """All renames in one transaction, while nobody is connected to any of them."""
        existing = set(self._rows(_LIST))
        self._old = {name: f"{OLD}{number}" for number, name in enumerate(self._new.values()) if name in existing}
        renames = [_rename(name, old) for name, old in self._old.items()]
        renames += [_rename(new, name) for new, name in self._new.items()]
        self._rename_all([*renames, self._properties])
        self._swapped = True

    def undo(self) -> None:
        """Also after the swap."""
        if self._swapped:
            back = [_rename(name, new) for new, name in self._new.items()]
            self._rename_all([*back, *(_rename(old, name) for name, old in self._old.items())])
        self._drop_left()

    def commit(self) -> None:
        self._drop_left()

    def present(self) -> str:
        """Empty where no server answers."""
        try:
            return "".join(self._rows(_SIZE))
        except BackupError:
            return ""

    def set_password(self, password: str) -> None:
        self._sql(f"ALTER ROLE {_name(self._method.user)} PASSWORD {_text(password)}")

    def _drop_left(self) -> None:
        """Drop what was restored and not swapped, and what was replaced."""
        for name in self._rows(_LEFT):
            self._sql(f"ALTER DATABASE {_name(name)} IS_TEMPLATE false;\nDROP DATABASE {_name(name)} WITH (FORCE);")

    def _rename_all(self, statements: list[str]) -> None:
        names = ", ".join(map(_text, (*self._new, *self._new.values(), *self._old.values())))
        disconnect = (
            f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname IN ({names}) AND pid <> pg_backend_pid();"
        )
        for left in reversed(range(TRIES)):
            try:
                self._sql("\n".join([disconnect, *statements]), "--single-transaction")
                return
            except BackupError as error:
                if not left or "being accessed" not in error.message:
                    raise

    def _rows(self, query: str) -> list[str]:
        return self._run((*self._psql(), "--command", query)).stdout.decode().splitlines()

    def _sql(self, sql: str, *options: str, strict: bool = True) -> None:
        """Through an unnamed file, because a password may be in it."""
        with tempfile.TemporaryFile() as script:
            script.write(sql.encode())
            script.seek(0)
            stop = ("--set", "ON_ERROR_STOP=1") if strict else ()
            self._run((*self._psql(), *stop, *options, "--file", "-"), stdin=script)

    def _run(
        self, words: tuple[str, ...], *, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None
    ) -> Executed:
        environment = {"PGPASSWORD": self._method.password, "PGCONNECT_TIMEOUT": "10"}
        done = self._engine.execute(self._key, words, environment=environment, stdin=stdin, stdout=stdout)
        if done.code:
            lines = done.stderr.splitlines() or [f"exit code {done.code}"]
            reason = next((line for line in lines if "error:" in line.lower()), lines[-1])
            raise BackupError(
                f"{words[0]} of {self._key}: {reason}", hint=disks.hint(reason, f"arcctl logs {self._key}")
            )
        return done

    def _psql(self) -> tuple[str, ...]:
        return ("psql", "-XqAt", "--dbname", self._url())

    def _url(self, database: str = MAINTENANCE) -> str:
        return f"postgresql://{self._method.user}@127.0.0.1:{self._method.port}/{quote(database, safe='')}"


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
