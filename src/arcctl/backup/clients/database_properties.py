"""What a Postgres server knows of its databases besides what is in them, as a document of a backup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_LISTS = "'search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries'"
QUERY = f"""\
WITH d AS (
  SELECT *, coalesce(to_jsonb(pg_database)->>'datlocale', to_jsonb(pg_database)->>'daticulocale') AS locale,
         to_jsonb(pg_database)->>'daticurules' AS rules
    FROM pg_database WHERE datname <> 'template0' AND datconnlimit <> -2
), statements AS (
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
  SELECT datname, 7, 1, format('SECURITY LABEL FOR %I ON DATABASE %I IS %L;', provider, datname, label)
    FROM d JOIN pg_shseclabel ON classoid = 'pg_database'::regclass AND objoid = oid
  UNION ALL
  SELECT datname, 8, 1, format('ALTER DATABASE %I IS_TEMPLATE true;', datname) FROM d WHERE datistemplate
  UNION ALL
  SELECT datname, 9, 1, format('ALTER DATABASE %I ALLOW_CONNECTIONS false;', datname) FROM d WHERE NOT datallowconn
)
SELECT json_build_object(
  'databases', (
    SELECT json_object_agg(d.datname, json_build_object(
             'encoding', format('ENCODING %L', pg_encoding_to_char(d.encoding)),
             'locale', concat(
               format('LC_COLLATE %L LC_CTYPE %L', d.datcollate, d.datctype),
               CASE d.datlocprovider WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', d.locale)
                                     WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', d.locale)
                                     ELSE ' LOCALE_PROVIDER libc' END,
               ' ICU_RULES ' || quote_literal(d.rules)),
             'locale_is_server_default', to_jsonb(d) @> (
               SELECT jsonb_build_object('datcollate', datcollate, 'datctype', datctype,
                        'datlocprovider', datlocprovider, 'locale', coalesce(j->'datlocale', j->'daticulocale'),
                        'rules', j->'daticurules')
                 FROM pg_database u, to_jsonb(u) AS j WHERE datname = 'template0'),
             'tablespace', (SELECT nullif(spcname, 'pg_default') FROM pg_tablespace t WHERE t.oid = d.dattablespace),
             'statements', (SELECT json_agg(statement ORDER BY step, place)
                              FROM statements s WHERE s.datname = d.datname)))
      FROM d),
  'server', (SELECT coalesce(json_agg(statement ORDER BY step, place), '[]') FROM statements WHERE datname IS NULL)
)::text
"""
"""One line of JSON. Rights are in the order in which they were granted, because a right may rest on another one."""


@dataclass(frozen=True, kw_only=True)
class Database:
    encoding: str = ""
    """For CREATE DATABASE, as the locale too."""
    locale: str = ""
    locale_is_server_default: bool = False
    tablespace: str | None = None
    """None for the server's own."""
    statements: tuple[str, ...] = ()
    """To be run when the database exists under its name."""


@dataclass(frozen=True)
class Properties:
    databases: Mapping[str, Database] = field(default_factory=dict)
    server: tuple[str, ...] = ()

    def of(self, name: str) -> Database:
        return self.databases.get(name, Database())


def read(text: str) -> Properties:
    """Of this version's backups, and of those that had SQL after one line with encodings and locales."""
    if not text.startswith("{"):
        first, _, statements = text.partition("\n") if text.startswith("-- ") else ("-- {}", "", text)
        options = json.loads(first.removeprefix("-- "))
        return Properties({name: Database(locale=words) for name, words in options.items()}, (statements,))
    document = json.loads(text)
    databases = {
        name: Database(**{**item, "statements": tuple(item["statements"])})
        for name, item in document["databases"].items()
    }
    return Properties(databases, tuple(document["server"]))
