"""What a backup knows of databases besides their content, in the form of each version."""

from __future__ import annotations

import json

import pytest

from arcctl.backup.clients.database_properties import Database, read

ARC = {
    "encoding": "ENCODING 'UTF8'",
    "locale": "LC_COLLATE 'C'",
    "locale_is_server_default": True,
    "tablespace": None,
    "statements": ["ALTER DATABASE arc OWNER TO arc;"],
}


def test_the_properties_of_one_database_are_read_and_not_those_of_another() -> None:
    found = read(json.dumps({"databases": {"arc": ARC}, "server": ["ALTER ROLE ALL SET a TO 'b';"]}))
    assert found.of("arc") == Database(
        encoding="ENCODING 'UTF8'",
        locale="LC_COLLATE 'C'",
        locale_is_server_default=True,
        statements=("ALTER DATABASE arc OWNER TO arc;",),
    )
    assert (found.of("other"), found.server) == (Database(), ("ALTER ROLE ALL SET a TO 'b';",))


@pytest.mark.parametrize(
    ("text", "locale", "server"),
    [
        ('-- {"arc": "ENCODING \'SQL_ASCII\'"}\nALTER DATABASE arc OWNER TO arc;\n', "ENCODING 'SQL_ASCII'", True),
        ("ALTER DATABASE arc OWNER TO arc;\n", "", True),
        ("", "", False),
    ],
)
def test_backups_of_earlier_versions_are_read(text: str, locale: str, server: bool) -> None:
    found = read(text)
    assert (found.of("arc").locale, "ALTER DATABASE arc OWNER TO arc;" in found.server[0]) == (locale, server)
