"""Flags and accounts as services return them; data stores do not print their passwords."""

from __future__ import annotations

import json

from arcctl.data.report import Flag, Identity, read_flags, read_identities
from arcctl.model.data_store import Databases, Streams


def test_flags_are_read_with_their_environments() -> None:
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


def test_a_data_store_does_not_print_its_password() -> None:
    databases = Databases(port=1, user="a", password="s3cret", new_database=lambda name, password: ())
    assert "s3cret" not in repr((databases, Streams(port=1, user="a", password="s3cret")))
