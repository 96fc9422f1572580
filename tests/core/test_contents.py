"""What services say of flags and accounts, read; what a holding shows of its password."""

from __future__ import annotations

import json

from arcctl.core.contents import Databases, Flag, Identity, Streams, read_flags, read_identities


def test_flags_are_read_with_where_they_are_on() -> None:
    environments = [{"name": "development", "enabled": True}, {"name": "production", "enabled": False}]
    item = {"name": "search", "project": "default", "type": "release", "environments": environments, "stale": False}
    bare = {"name": "bare"}
    assert read_flags(json.dumps({"features": [item, bare], "total": 2})) == (
        Flag(
            name="search",
            project="default",
            type="release",
            environments={"development": True, "production": False},
        ),
        Flag(name="bare", project="", type="", environments={}),
    )


def test_accounts_are_read_with_their_traits() -> None:
    item = {"id": "1", "schema_id": "person", "state": "active", "created_at": "now", "traits": {"email": "a@b"}}
    assert read_identities(json.dumps([item, {"id": "2", "schema_id": "robot"}])) == (
        Identity(id="1", schema="person", state="active", created_at="now", traits={"email": "a@b"}),
        Identity(id="2", schema="robot", state="", created_at="", traits={}),
    )


def test_a_holding_does_not_print_its_password() -> None:
    databases = Databases(port=1, user="a", password="s3cret", own=lambda name, password: ())
    assert "s3cret" not in repr((databases, Streams(port=1, user="a", password="s3cret")))
